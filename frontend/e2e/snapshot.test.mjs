// A snapshot of all that the screens show: saved, and opened again without the api, in a
// real browser.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { complaintsOf } from "./support/browser.mjs";
import { someConfiguration } from "./support/configuration.mjs";
import { processorOf } from "./support/processor.mjs";
import { attachedRun, save } from "./support/run-events.mjs";
import { scripted } from "./support/scripted.mjs";
import { chooseFile, dropFile } from "./support/snapshot.mjs";
import { healthyStack, past, service } from "./support/upstream.mjs";

/**
 * Longer than any task of a page may take, in milliseconds, on a machine with much else
 * to do: to read a file of some megabytes is one.
 */
const MOST_MS = 3_000;

/** The screens of a snapshot, and what each shows of what fill has planted. */
const screens = {
  "": "[data-testid=service-redis][data-state=unhealthy]",
  "?view=graph": "[data-testid=node-redis]",
  "/services/redis": "[data-testid=container-redis]",
  "/logs": "[data-testid=line]",
  "/uptime": "[data-testid=uptime-redis]",
  "/uptime?service=redis&window=1h": "[data-testid=latency-chart]",
  "/reloads": "[data-testid=save]",
  "/configuration": '[aria-label="Value of LOG_LEVEL"]',
  "/configuration?tab=revisions": "[data-testid=revisions]",
  "/configuration?tab=secrets": "[data-testid=secret-secrets]",
  "/setup": "[data-testid=checklist]",
  "/history": "[data-testid=history]",
  "/activity": "[data-testid=records]",
};

/** A part of each screen that says the same in a snapshot, where it has no buttons. */
const parts = {
  "": "[data-testid=service-redis] [data-testid=reason]",
  "?view=graph": "[data-testid=graph-list]",
  "/services/redis": "[data-testid=usage]",
  "/services/api": "[data-testid=container-api]",
  "/services/postgres": "[data-testid=events]",
  "/uptime": "[data-testid=uptime-redis]",
  "/reloads": "[data-testid=save]",
  "/configuration?tab=revisions": "[data-testid=revisions]",
  "/configuration?tab=secrets": "[data-testid=secret-secrets]",
  "/setup": "[data-testid=checklist]",
  "/history": "[data-testid=history]",
  "/activity": "[data-testid=records]",
};

const CHOSEN = { values: /^Values of variables/, lines: /^The newest 2,000 log lines/ };

describe("a snapshot", () => {
  const run = scripted({ loggedIn: true });

  function fill() {
    const at = new Date().toISOString();
    const reason = { code: "crash", message: "it ended with 1" };
    Object.assign(run.said, {
      services: healthyStack().map((one) =>
        one.name === "redis" ? { ...one, state: "unhealthy", ready: 0, reason } : one,
      ),
      past: healthyStack().map(({ name }) => past(name)),
      configuration: someConfiguration(),
      events: [{ id: 1, service: "redis", state: "unhealthy", previous: "healthy", at }],
      told: [{ at, warning: true, object: "Pod/redis-0", reason: "BackOff", message: "again" }],
      lines: [{ id: "1", time: at, service: "redis", level: "info", message: "said-by-redis" }],
      records: [{ id: 1, at, actor: "ana", action: "logIn", target: "x", outcome: "done" }],
      attached: [attachedRun({ actions: ["apply", "rebuild", "examine", "propose"] })],
      findings: [{ name: "container engine", status: "ok", detail: "docker 29.1 answers" }],
      runEvents: [save({ error: "quoted-by-zr" })],
    });
  }

  /** Saves with what is chosen, and returns where the browser has put the file. */
  async function saved(...chosen) {
    const { page } = run;
    await run.show("/snapshot");
    for (const choice of chosen) {
      await page.getByRole("checkbox", { name: CHOSEN[choice] }).check();
    }
    const [download] = await Promise.all([
      page.waitForEvent("download"),
      page.getByRole("button", { name: "Save a snapshot" }).click(),
    ]);
    assert.match(download.suggestedFilename(), /^zr-zr-test-\d{4}-\d\d-\d\dT[\d-]+Z\.json$/);
    await page.waitForSelector("[data-testid=saved]");
    return download.path();
  }

  async function opened(file) {
    await run.page.getByLabel("Choose a file, or drop it here").setInputFiles(file);
    await run.page.waitForSelector("[data-testid=snapshot]");
  }

  /** Goes to a screen of the snapshot that is open, as a link of it does. */
  async function go(place) {
    await run.page.evaluate((to) => window.history.pushState(null, "", to), `/snapshot${place}`);
  }

  test("is saved by keyboard out of the palette, and opened where the api is away", async () => {
    fill();
    const { page } = run;
    const complaints = complaintsOf(page, run.dashboard.url);
    await run.show();
    await page.keyboard.press("Control+k");
    await page.keyboard.type("save a sn");
    await page.keyboard.press("Enter");
    await page.waitForFunction(() => document.activeElement?.textContent === "Save a snapshot");
    await run.hasNoFaults();
    const [download] = await Promise.all([
      page.waitForEvent("download"),
      page.keyboard.press("Enter"),
    ]);
    const file = await download.path();
    assert.deepEqual(complaints, []);
    await run.upstream.stop();
    try {
      await page.context().clearCookies();
      await run.show("/snapshot");
      await opened(file);
      await page.locator("[data-testid=snapshot]", { hasText: "Snapshot of zr-test" }).waitFor();
      await page.waitForSelector(screens[""]);
      await page.getByText("it ended with 1").first().waitFor();
    } finally {
      await run.upstream.start();
    }
  });

  test("shows each screen as it was, asks nobody, and does nothing", async () => {
    fill();
    const { page } = run;
    const file = await saved("values", "lines");
    await opened(file);
    const asked = [];
    page.on("request", (request) => asked.push(request.url()));
    page.on("websocket", (socket) => asked.push(socket.url()));
    for (const [place, shown] of Object.entries(screens)) {
      await go(place);
      await page.waitForSelector(shown);
      await run.hasNoFaults();
      for (const name of [/^Restart/, /^Stop/, /^Scale/, /^Roll back/, /^Actions of/, /^Export/]) {
        assert.equal(await page.getByRole("button", { name }).count(), 0, `${place} ${name}`);
      }
    }
    const ofScreens = asked.filter((url) =>
      /\/api\/v1\/(services\/|uptime|history|logs|dev|configuration|activity|live)/.test(url),
    );
    assert.deepEqual(ofScreens, []);
  });

  test("shows what the screens showed when it was saved", async () => {
    fill();
    const { page } = run;
    /** What a part says, without how long ago: that goes on, or does not. */
    const said = async (place, part) => {
      await page.waitForSelector(part);
      const text = await page.locator(part).first().textContent();
      assert.ok(text, `${place}: ${part} says nothing`);
      return text.replaceAll(/\d+ (ms|s|min|h|d)\b/g, "some time");
    };
    const live = {};
    for (const [place, part] of Object.entries(parts)) {
      await run.show(place || "/");
      live[place] = await said(place, part);
    }
    await opened(await saved("values", "lines"));
    for (const [place, part] of Object.entries(parts)) {
      await go(place);
      assert.equal(await said(place, part), live[place], `${place}: ${part}`);
    }
  });

  test("leads from screen to screen by its own links, back and forward", async () => {
    fill();
    const { page } = run;
    await opened(await saved("lines"));
    const at = (place) => page.waitForURL(`**/snapshot${place}`);
    const inside = page.getByRole("navigation", { name: "Screens of the snapshot" });
    await page.getByRole("link", { name: "redis", exact: true }).first().click();
    await at("/services/redis");
    await page.waitForSelector(screens["/services/redis"]);
    await page.getByRole("link", { name: "Logs", exact: true }).last().click();
    await at("/logs?service=redis");
    await page.getByText("said-by-redis").waitFor();
    await page.getByRole("searchbox", { name: "Text of the line" }).fill("nothing like it");
    await page.keyboard.press("Enter");
    await page.waitForSelector("[data-testid=no-lines]");
    await page.goBack();
    await page.getByText("said-by-redis").waitFor();
    await inside.getByRole("link", { name: "History" }).click();
    await at("/history");
    await page.waitForSelector(screens["/history"]);
    await page.goBack();
    await page.getByText("said-by-redis").waitFor();
    await page.getByRole("button", { name: "Close it" }).click();
    await page.waitForSelector("[data-testid=not-open]");
  });

  test("has its lines over time, and finds those of an expression, which may not stall the page", async () => {
    fill();
    const { page, said } = run;
    const line = (id, minutesAgo, message) => ({
      ...said.lines[0],
      id: String(id),
      time: new Date(Date.now() - minutesAgo * 60_000).toISOString(),
      message,
    });
    const endless = `${"a".repeat(40)}!`;
    said.lines = [line(1, 20, "GET /a 200"), line(2, 5, "GET /b 500"), line(3, 1, endless)];
    const complaints = complaintsOf(page, run.dashboard.url);
    await opened(await saved("lines"));
    await go("/logs");
    const lines = page.getByTestId("line");
    const text = page.getByRole("searchbox", { name: "Text of the line" });
    const search = async (expression) => {
      await text.fill(expression);
      await page.getByLabel("Regular expression").check();
      await text.press("Enter");
    };
    await lines.nth(2).waitFor();
    await search("(?i)get /[ab] [45]\\d\\d");
    await page.waitForURL(/\/snapshot\/logs\?regexp=/);
    await page.getByText("1 of the 3 newest lines").waitFor();
    assert.match(await lines.textContent(), /GET \/b 500/);
    await run.hasNoFaults();
    await search("(");
    await page.getByTestId("no-lines").getByText("Invalid regular expression").waitFor();
    await search("^(a+)+$");
    await page.getByTestId("searching").waitFor();
    // The page does something meanwhile.
    await page.getByLabel("Wrap").uncheck();
    await page.waitForURL(/wrap=off/);
    await page.getByTestId("no-lines").getByText("takes longer than 5 s").waitFor();
    await text.fill("");
    await text.press("Enter");
    await lines.nth(2).waitFor();
    const bar = page.getByTestId("histogram").getByRole("button", { name: /: 1 line$/ });
    await bar.first().click();
    await page.waitForURL(/from=.*to=/);
    await page.getByText("1 of the 3 newest lines").waitFor();
    assert.match(await lines.textContent(), /GET \/a 200/);
    await page.goBack();
    await lines.nth(2).waitFor();
    assert.deepEqual(complaints, []);
  });

  test("has no secret, value or line that was not chosen, wherever it was planted", async () => {
    fill();
    const { said } = run;
    const planted = (place) => `planted-${place}-s3cr3t`;
    said.lines[0].message = planted("line");
    said.lines[0].fields = { token: planted("field") };
    said.runEvents = [
      save({ error: planted("error"), extra: planted("extra") }),
      { ...save(), id: 2, type: "problem", data: { source: "x", text: planted("text") } },
      { ...save(), id: 3, type: "novel", data: { error: planted("novel") } },
    ];
    said.details = plantedDetails(planted);
    said.configuration.settings.LOG_LEVEL = planted("setting");
    const without = readFileSync(await saved(), "utf8");
    assert.match(without, /left out of the snapshot/);
    assert.doesNotMatch(without, /planted-/);
    // What they are found in where they were chosen shows that they were there.
    const values = readFileSync(await saved("values"), "utf8");
    assert.deepEqual(found(values), ["answer", "probe", "setting", "variable"]);
    const lines = readFileSync(await saved("lines"), "utf8");
    assert.deepEqual(found(lines), ["error", "field", "line", "text"]);
  });

  test("of who is not logged in has what he sees, and says what is missing", async () => {
    fill();
    const { page } = run;
    await page.context().clearCookies();
    const file = await saved();
    await page.locator("[data-testid=missing]", { hasText: "the attached runs of zr" }).waitFor();
    await opened(file);
    await page.getByText(/parts could not be saved/).click();
    await page.waitForSelector("[data-testid=could-not] [data-testid=missing]");
    await run.hasNoFaults();
    await go("/activity");
    await page.waitForSelector("[data-testid=problem][data-code=not_logged_in]");
    await page.getByText("So it was when the snapshot was saved.").waitFor();
  });

  test("that nothing answers is not saved", async () => {
    fill();
    run.said.error = "the api stops";
    await run.show("/snapshot");
    await run.page.getByRole("button", { name: "Save a snapshot" }).click();
    await run.page.getByText(/^Nothing is saved: .*the api stops/).waitFor();
  });

  test("of a stranger does nothing, and one that is none is refused in words", async () => {
    fill();
    const { page } = run;
    const complaints = complaintsOf(page, run.dashboard.url);
    const good = JSON.parse(readFileSync(await saved("lines"), "utf8"));
    const processor = await processorOf(page);
    await run.show("/snapshot");
    for (const [content, said] of [
      ["%PDF-1.7", "it is not in JSON"],
      [[], "This is no snapshot"],
      [{ ...good, kind: "other" }, "This is no snapshot"],
      [{ ...good, version: 2 }, "A newer zr has saved it"],
      [{ ...good, answers: [] }, "It is damaged"],
      [{ ...good, answers: { a: Array(3_000).fill(0) } }, "It has a list of 3,000 entries"],
    ]) {
      await chooseFile(page, content);
      await page.locator("[data-testid=not-opened]", { hasText: said }).waitFor();
    }
    await dropFile(page, 50_000_001);
    await page.getByText("It has 51 MB, and a snapshot has 50 at most.").waitFor();
    await run.hasNoFaults();
    await processor();
    await chooseFile(page, hostile(good));
    await page.waitForSelector("[data-testid=snapshot]");
    for (const place of Object.keys(screens)) {
      await go(place);
      await page.waitForSelector(
        "main h1, main [data-testid=problem], main [data-testid=not-shown], main [data-testid=secret-secrets]",
      );
      const text = await page.locator("main").textContent();
      assert.doesNotMatch(text, /\u202e/, place);
      assert.ok(text.length < 500_000, `${place}: ${text.length} characters`);
      const took = await processor();
      assert.ok(took < MOST_MS, `${place}: it took ${took} ms of the processor`);
    }
    assert.equal(await page.evaluate(() => globalThis.wasRun), undefined);
    assert.deepEqual(complaints, []);
  });

  function found(text) {
    return [...new Set(text.match(/planted-(\w+)-s3cr3t/g))].map((one) => one.split("-")[1]).sort();
  }
});

/** What a service is made of, with a text in each place where somebody may have written a secret. */
function plantedDetails(planted) {
  const asks = `redis-cli -a ${planted("probe")} ping`;
  return {
    name: "redis",
    kind: "Deployment",
    ports: [],
    containers: [
      {
        name: "redis",
        image: "redis",
        ports: [],
        probes: [
          { of: "liveness", kind: "exec", asks, everySeconds: 5, timeoutSeconds: 2, failures: 3 },
        ],
        env: [{ name: "GREETING", value: planted("variable") }],
        requests: {},
        limits: {},
      },
    ],
    pods: [
      {
        name: "redis-0",
        answer: { by: "api", status: "not ready", asks: "GET /", text: planted("answer") },
        containers: [],
      },
    ],
  };
}

/** A file in which every text is another one that wants to do something, and some are long. */
function hostile(good) {
  const text = "<script>globalThis.wasRun=true</script>\u202e\u001b[31mgnp.exe";
  const services = good.answers["/api/v1/services"];
  services.services = [
    ...services.services.map((one) => ({
      ...one,
      image: text,
      build: text,
      reason: { code: text, message: text.repeat(30_000) },
    })),
    service(text, "Deployment", { dependsOn: [text, "redis"] }),
    service("x".repeat(1_000_000), "Deployment"),
  ];
  const lines = good.answers["/api/v1/logs"].lines;
  const fields = Object.fromEntries(
    Array.from({ length: 10_000 }, (_, i) => [`${text}${i}`, text]),
  );
  lines.push(
    { ...lines[0], id: "2", message: text.repeat(30_000), fields },
    { ...lines[0], id: "3", time: "never" },
  );
  good.answers["/api/v1/activity?limit=50"].records[0].actor = text;
  good.answers["/api/v1/configuration"].settings[0].key = text;
  good.environment = text.slice(0, 100);
  return good;
}
