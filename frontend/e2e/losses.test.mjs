// What each screen shows when something goes that it needs, and that it recovers by
// itself, in a real browser. All screens are open at once, each in a tab of its own.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { accessibilityViolations, open, takenOver } from "./support/browser.mjs";
import { someConfiguration } from "./support/configuration.mjs";
import { attachedRun, save } from "./support/run-events.mjs";
import { scripted } from "./support/scripted.mjs";
import { chooseFile, someSnapshot } from "./support/snapshot.mjs";
import { healthyStack, past, service } from "./support/upstream.mjs";

/** The screens, what each shows of its own, and what it shows without the database where it is read there. */
const screens = [
  { path: "/", shown: "[data-testid=service-redis]", unread: "[data-testid=history-problem]" },
  {
    path: "/?view=graph",
    shown: "[data-testid=node-redis]",
    unread: "[data-testid=history-problem]",
  },
  {
    path: "/services/redis",
    shown: "[data-testid=container-redis]",
    unread: "[data-testid=history-problem]",
  },
  { path: "/logs", shown: "[data-testid=feed][data-status=live]", fromDatabase: true },
  { path: "/uptime", shown: "[data-testid=uptime-redis]", fromDatabase: true },
  { path: "/uptime?service=redis", shown: "[data-testid=latency-chart]", fromDatabase: true },
  { path: "/reloads", shown: "[data-testid=feed][data-status=live]", fromDatabase: true },
  { path: "/configuration", shown: '[aria-label="Value of LOG_LEVEL"]' },
  { path: "/configuration?view=text", shown: ".cm-content" },
  {
    path: "/configuration?tab=revisions",
    shown: "[data-testid=revisions]",
    unread: "[data-testid=unread][data-code=api_error]",
  },
  { path: "/configuration?tab=secrets", shown: "[data-testid=secret-secrets]" },
  { path: "/setup", shown: "[data-testid=checklist]" },
  { path: "/history", shown: "[data-testid=history]", unread: "[data-testid=history-problem]" },
  // The audit log is one for all environments.
  { path: "/activity", shown: "[data-testid=records]", fromDatabase: true, ofAll: true },
  { path: "/snapshot", shown: "[data-testid=open-snapshot]", ofAll: true },
  // What a file says stays as it was, whatever goes.
  { path: "/snapshot/uptime", shown: "[data-testid=uptime-kept]", ofAll: true, file: keptFile() },
];

function keptFile() {
  const { answers } = someSnapshot();
  const health = { services: [past("kept")], outages: [] };
  return someSnapshot({ answers: { ...answers, "/api/v1/uptime?window=24h": health } });
}

const PROBLEM = "[data-testid=problem]";
const ENDED = "[data-testid=session-ended]";

describe("what goes and comes back", () => {
  const run = scripted({ loggedIn: true });

  function fill() {
    const at = new Date().toISOString();
    Object.assign(run.said, {
      past: healthyStack().map(({ name }) => past(name)),
      configuration: someConfiguration(),
      events: [{ id: 1, service: "redis", state: "healthy", previous: "starting", at }],
      lines: [{ id: "1", time: at, service: "redis", level: "info", message: "ready" }],
      records: [{ id: 1, at, actor: "ana", action: "logIn", target: "x", outcome: "done" }],
      attached: [attachedRun({ actions: ["apply", "examine", "propose"] })],
      findings: [{ name: "container engine", status: "ok", detail: "docker 29.1 answers" }],
      runEvents: [save()],
    });
  }

  /** Opens screens, each in a tab that notes that it was not loaded anew. */
  async function openAll(of = screens, more = "") {
    const context = run.page.context();
    const tabs = await Promise.all(
      of.map(async (screen) => ({ ...screen, page: await context.newPage() })),
    );
    await each(tabs, async ({ page, path, shown, file }) => {
      page.setDefaultTimeout(run.timeout);
      const address = path + more.replace("?", path.includes("?") ? "&" : "?");
      await open(page, run.dashboard.url + address);
      await takenOver(page);
      if (file) {
        await chooseFile(page, file);
      }
      await page.waitForSelector(shown);
      await page.evaluate(() => {
        globalThis.loadedOnce = true;
      });
    });
    return tabs;
  }

  /** Does something with each tab, and says at which screens it failed. */
  async function each(tabs, check) {
    const failures = await Promise.all(
      tabs.map((tab) =>
        check(tab).then(
          () => [],
          (error) => [`${tab.path}: ${error.message}`],
        ),
      ),
    );
    assert.deepEqual(failures.flat(), []);
  }

  const looksIntended = (tabs) =>
    each(tabs, async ({ page }) => {
      for (const colorScheme of ["light", "dark"]) {
        await page.emulateMedia({ colorScheme });
        assert.deepEqual(await accessibilityViolations(page), [], colorScheme);
      }
    });

  /** Each shows its own again, says nothing of a problem, and is the page that was there before. */
  const recovers = (tabs) =>
    each(tabs, async ({ page, shown }) => {
      await page.waitForSelector(shown);
      await page.waitForSelector(PROBLEM, { state: "detached" });
      await page.waitForSelector("[data-testid=unread]", { state: "detached" });
      await page.waitForSelector("[data-testid=history-problem]", { state: "detached" });
      assert.equal(await page.evaluate(() => globalThis.loadedOnce), true);
    });

  test("a session that ends says how to log in, takes nothing along that is written, and goes on by another tab", async () => {
    fill();
    const { said, upstream } = run;
    const tabs = await openAll();
    const at = (path) => tabs.find((tab) => tab.path === path).page;
    const written = [
      at("/configuration").getByLabel("Value of LOG_LEVEL"),
      at("/configuration?tab=secrets").getByLabel("New value"),
      at("/configuration?tab=revisions").getByLabel(/^Why, for those/),
      at("/setup").getByLabel("Folder of the project"),
      at("/logs").getByLabel("Text of the line"),
    ];
    const press = (path, name) => at(path).getByRole("button", { name }).click();
    await press("/configuration?tab=secrets", "Set API_TOKEN");
    await at("/configuration?tab=revisions").locator("[data-testid=revisions] a").last().click();
    await press("/configuration?tab=revisions", "Go back to it");
    for (const field of written) {
      await field.fill("unsaved");
    }
    said.session = "of-ana-later";
    upstream.interrupt();
    await each(tabs, ({ page }) =>
      page.locator(`[role=status] ${ENDED}`, { hasText: "zr dashboard" }).waitFor(),
    );
    await looksIntended(tabs);
    await run.logIn(said.session);
    await each(tabs, ({ page }) => page.waitForSelector(ENDED, { state: "detached" }));
    await recovers(tabs);
    for (const field of written) {
      assert.equal(await field.inputValue(), "unsaved");
    }
  });

  test("a view that breaks is told on each screen that has one, and goes on", async () => {
    fill();
    const { said, upstream } = run;
    const live = ["/", "/?view=graph", "/services/redis", "/logs", "/reloads"];
    const tabs = await openAll(screens.filter(({ path }) => live.includes(path)));
    for (const path of ["/api/v1/live/services", "/api/v1/logs/live", "/api/v1/dev/live"]) {
      await upstream.watched(path);
    }
    said.noViews = true;
    upstream.interrupt();
    await each(tabs, ({ page }) => page.waitForSelector("[data-testid=reconnect]"));
    await looksIntended(tabs);
    said.noViews = false;
    await each(tabs, ({ page }) =>
      page.waitForSelector("[data-testid=reconnect][data-state=back]"),
    );
    await recovers(tabs);
    const crash = { code: "crash", message: "exit code 1" };
    const broken = service("redis", "StatefulSet", { state: "unhealthy", ready: 0, reason: crash });
    said.services = healthyStack().map((one) => (one.name === "redis" ? broken : one));
    upstream.tell(broken);
    const time = new Date().toISOString();
    upstream.write([{ id: "2", time, service: "redis", level: "error", message: "after it" }]);
    upstream.tellRuns({ events: [save({ paths: ["after/it.go"] })] });
    const [table, graph, one, logs, reloads] = tabs.map(({ page }) => page);
    await table.waitForSelector("[data-testid=service-redis][data-state=unhealthy]");
    await graph.waitForSelector("[data-testid=node-redis][data-state=unhealthy]");
    await one.waitForSelector("[data-testid=detail][data-state=unhealthy]");
    await logs.locator("[data-testid=line]", { hasText: "after it" }).waitFor();
    await reloads.locator("[data-testid=save]", { hasText: "after/it.go" }).waitFor();
  });

  test("an api that stops is told on each screen, and what comes back is shown", async () => {
    fill();
    const tabs = await openAll();
    await run.upstream.stop();
    try {
      await each(tabs, ({ page }) =>
        page.waitForSelector("[data-testid=reconnect][data-state=away]"),
      );
      await looksIntended(tabs);
    } finally {
      await run.upstream.start();
    }
    await each(tabs, ({ page }) =>
      page.waitForSelector("[data-testid=reconnect][data-state=back]"),
    );
    await recovers(tabs);
  });

  test("a database that is away is told where it is read, and nothing else goes", async () => {
    fill();
    const { said } = run;
    const tabs = await openAll();
    said.historyError = "the database does not answer";
    // Lines that come do not read it; those that are looked for do.
    const logs = tabs.find(({ path }) => path === "/logs").page;
    await logs.getByLabel("Level").selectOption("info");
    await each(tabs, async ({ page, unread, fromDatabase, shown }) => {
      if (unread || fromDatabase) {
        await page.waitForSelector(unread ?? `${PROBLEM}[data-code=api_error]`);
        await page.getByText("the database does not answer").first().waitFor();
      } else {
        await page.waitForSelector(shown);
        assert.equal(await page.locator(PROBLEM).count(), 0);
      }
    });
    await looksIntended(tabs);
    said.historyError = undefined;
    await recovers(tabs);
  });

  test("an environment that is deleted is told on each screen, and shown when it is made again", async () => {
    fill();
    const { said, upstream } = run;
    said.environments = { dev: healthyStack(), "pr-1": healthyStack() };
    const tabs = await openAll(screens, "?environment=pr-1");
    said.environments = { dev: healthyStack() };
    upstream.interrupt();
    await each(tabs, async ({ page, ofAll }) => {
      await page.getByText("pr-1 (not there)").waitFor({ state: "attached" });
      if (ofAll) {
        return;
      }
      await page
        .locator("[data-code=not_found]", { hasText: "there is no such environment" })
        .first()
        .waitFor();
    });
    await looksIntended(tabs);
    said.environments = { dev: healthyStack(), "pr-1": healthyStack() };
    await recovers(tabs);
  });

  test("a viewer is told on each screen why he may not act, and may once he is an operator", async () => {
    fill();
    const { said } = run;
    said.role = "viewer";
    const button = (name) => (page) => page.getByRole("button", { name, exact: true }).first();
    /** What opens what is asked about, and what does it. */
    const acts = [
      { path: "/", opens: button("Actions of redis"), does: button("Stop") },
      { path: "/services/redis", opens: button("Stop"), does: inDialog("Stop") },
      { path: "/reloads", opens: button("Apply"), does: inDialog("Apply") },
      {
        path: "/configuration",
        does: (page) => page.getByLabel("Value of LOG_LEVEL"),
      },
      {
        path: "/configuration?tab=revisions",
        opens: (page) => page.locator("[data-testid=revisions] a").last(),
        does: button("Go back to it"),
      },
      { path: "/configuration?tab=secrets", does: button("Set API_TOKEN") },
      { path: "/setup", does: button("Show the lines") },
    ];
    const tabs = await openAll(
      acts.map((act) => ({ ...screens.find(({ path }) => path === act.path), ...act })),
    );
    await each(tabs, async ({ page, opens, does }) => {
      await opens?.(page).click();
      await page.waitForSelector("[data-testid=why-not]");
      await page.getByText("ana is a viewer").first().waitFor();
      assert.equal(await isOff(does(page)), true);
    });
    await looksIntended(tabs);
    said.role = "operator";
    await each(tabs, async ({ page, does }) => {
      await page.waitForSelector("[data-testid=why-not]", { state: "detached" });
      assert.equal(await isOff(does(page)), false);
    });
  });

  test("who may no longer act when the api is asked is told so", async () => {
    fill();
    const { page, said } = run;
    await run.show("/services/redis");
    said.onAction = (_, __, answer) =>
      answer(403, { type: "urn:zr:problem:role_too_low", detail: "this is for operators" });
    await page.getByRole("button", { name: "Stop", exact: true }).click();
    await inDialog("Stop")(page).click();
    const notice = page.locator("[data-testid=notice][data-outcome=failed]");
    await notice.getByText("your role may look").waitFor();
    await notice.getByText("zr dashboard").waitFor();
    await run.hasNoFaults();
  });
});

const isOff = (control) =>
  control.evaluate(({ disabled, readOnly }) => disabled || readOnly === true);

function inDialog(name) {
  return (page) =>
    page.locator("[data-testid=action-dialog]").getByRole("button", { name, exact: true });
}
