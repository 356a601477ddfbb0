// Everything that the dashboard can show, in a real browser, over an api that
// gets into each state on request.

import assert from "node:assert/strict";
import { after, before, beforeEach, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { faultsOf, launch, newContext, open, showsState, takenOver } from "./support/browser.mjs";
import { startNext } from "./support/next-server.mjs";
import {
  problem as apiProblem,
  healthyStack,
  past,
  SESSION,
  startUpstream,
} from "./support/upstream.mjs";

/** Longer than the page takes to notice anything: its timeouts, its polls and a busy machine. */
const TIMEOUT = 60_000;

/** In this time a page that polls has polled. */
const SEVERAL_POLLS_MS = 7_000;

/** The stack with one service in another condition. */
function stackWith(name, change) {
  return healthyStack().map((each) => (each.name === name ? { ...each, ...change } : each));
}

const crashed = {
  state: "unhealthy",
  ready: 0,
  restarts: 4,
  reason: { code: "crash", message: 'container "redis" ended with exit code 1' },
};

describe("the states of the dashboard", () => {
  const said = {};
  let upstream;
  let dashboard;
  let browser;
  let page;

  before(async () => {
    upstream = await startUpstream(said);
    dashboard = await startNext({ env: { API_URL: upstream.url } });
    browser = await launch();
  });
  after(async () => {
    await browser?.close();
    await dashboard?.stop();
    await upstream?.stop();
  });
  beforeEach(async (t) => {
    for (const key of Object.keys(said)) {
      delete said[key];
    }
    said.services = healthyStack();
    const context = await newContext(browser);
    t.after(() => context.close());
    page = await context.newPage();
    page.setDefaultTimeout(TIMEOUT);
  });

  const problem = (code) => page.waitForSelector(`[data-testid=problem][data-code=${code}]`);
  const freshness = (is) => page.waitForSelector(`[data-testid=freshness][data-freshness=${is}]`);

  /** It is set after the page shows what it tells. */
  const hasTitle = (title) => page.waitForFunction((text) => document.title === text, title);

  const hasNoFaults = async () => assert.deepEqual(await faultsOf(page), []);

  test("a service that fails shows why, and recovers, without a reload", async () => {
    await open(page, dashboard.url);
    await showsState(page, "redis", "healthy");
    await page.evaluate(() => {
      globalThis.loadedOnce = true;
    });
    said.services = stackWith("redis", crashed);
    await showsState(page, "redis", "unhealthy");
    const reason = page.locator("[data-testid=service-redis] [data-testid=reason]");
    assert.match(await reason.textContent(), /exit code 1/);
    await hasTitle("redis is unhealthy · zr");
    await hasNoFaults();
    said.services = stackWith("redis", { state: "starting", ready: 0 });
    await showsState(page, "redis", "starting");
    said.services = healthyStack();
    await showsState(page, "redis", "healthy");
    assert.equal(await page.evaluate(() => globalThis.loadedOnce), true);
  });

  test("a change that the api tells is shown before it is asked for", async () => {
    await open(page, dashboard.url);
    await takenOver(page);
    await upstream.watched("/api/v1/live/services");
    said.hang = true;
    upstream.tell(stackWith("redis", crashed).find(({ name }) => name === "redis"));
    await showsState(page, "redis", "unhealthy");
    await hasTitle("redis is unhealthy · zr");
  });

  test("an api that goes away leaves the last known state, and its return fixes it", async () => {
    await open(page, dashboard.url);
    await freshness("live");
    await upstream.stop();
    try {
      await freshness("stale");
      await problem("api_unreachable");
      await page.waitForSelector("[data-testid=summary][data-state=unknown]");
      await showsState(page, "redis", "healthy");
      await hasNoFaults();
    } finally {
      await upstream.start();
    }
    await freshness("live");
    await page.waitForSelector("[data-testid=problem]", { state: "detached" });
  });

  test("an api that is away from the start is a screen of its own", async () => {
    await upstream.stop();
    try {
      await open(page, dashboard.url);
      await problem("api_unreachable");
      await hasNoFaults();
    } finally {
      await upstream.start();
    }
    await page.click("text=Try now");
    await showsState(page, "redis", "healthy");
  });

  test("an api that hangs, fails or speaks another version is told apart", async () => {
    said.hang = true;
    await open(page, dashboard.url);
    await problem("api_timeout");
    said.hang = false;
    said.error = "it cannot do that now";
    await problem("api_error");
    assert.match(
      await page.locator("[data-testid=problem]").textContent(),
      /it cannot do that now/,
    );
    said.error = undefined;
    said.services = [{ name: "api", state: "confused" }];
    await problem("api_unexpected");
    said.services = healthyStack();
    await showsState(page, "api", "healthy");
  });

  test("a stack without services, and one that Kubernetes says nothing of", async () => {
    said.services = [];
    await open(page, dashboard.url);
    await page.waitForSelector("[data-testid=empty]");
    await hasNoFaults();
    said.services = healthyStack().map((each) => ({ ...each, kind: "", ready: 0, desired: 0 }));
    said.kubernetes = { status: "down", latencyMs: 3000, reason: "timeout" };
    await page.waitForSelector("[data-testid=kubernetes-notice]");
    await hasNoFaults();
  });

  test("a database that is away takes the history away and nothing else", async () => {
    said.historyError = "the database does not answer";
    await open(page, dashboard.url);
    await page.waitForSelector("[data-testid=history-problem]");
    await freshness("live");
    await hasNoFaults();
    said.historyError = undefined;
    const at = new Date().toISOString();
    said.events = [{ id: 1, service: "redis", state: "healthy", previous: "starting", at }];
    await page.waitForSelector("[data-testid=history]");
    await hasNoFaults();
  });

  test("the page of a service shows why it fails, and one of none says so until it runs", async () => {
    const pods = [{ name: "redis-0", phase: "Running", ready: false, restarts: 4 }];
    said.services = stackWith("redis", { ...crashed, pods });
    await open(page, `${dashboard.url}/services/redis`);
    await page.waitForSelector("[data-testid=detail][data-state=unhealthy]");
    await page.getByText("redis-0").waitFor();
    await hasTitle("redis is unhealthy · zr");
    await hasNoFaults();
    said.services = healthyStack().filter(({ name }) => name !== "redis");
    await page.waitForSelector("[data-testid=nothing-here]");
    await hasNoFaults();
    said.services = healthyStack();
    await page.waitForSelector("[data-testid=detail][data-state=healthy]");
  });

  test("the page of a service shows what it is made of to who is logged in, secrets by name", async () => {
    await page.context().addCookies([{ name: "zr_session", value: SESSION, url: dashboard.url }]);
    await open(page, `${dashboard.url}/services/api`);
    await takenOver(page);
    await page.getByText(/^ready: 200 OK to GET :3001\/health in 0.8 ms/).waitFor();
    await page.getByText(/0\.013 cores · 39.1 MiB/).waitFor();
    await page.getByText("2 variables").press("Enter");
    await page.getByText("PASSWORD (a secret, not shown)").waitFor();
    await hasNoFaults();
  });

  test("the history is an address: its service, its page, back and forward", async () => {
    const at = new Date().toISOString();
    said.events = [{ id: 2, service: "redis", state: "healthy", previous: "starting", at }];
    said.next = "older";
    await open(page, `${dashboard.url}/history`);
    await takenOver(page);
    await page.selectOption("select", "redis");
    await page.waitForURL("**/history?service=redis");
    await page.click("text=Older");
    await page.waitForURL("**/history?service=redis&cursor=older");
    await hasNoFaults();
    await page.goBack();
    await page.waitForURL("**/history?service=redis");
    await page.waitForSelector("text=Newest", { state: "detached" });
    assert.equal(await page.locator("select").inputValue(), "redis");
    said.historyError = "the database does not answer";
    await open(page, `${dashboard.url}/history?service=redis`);
    await problem("api_error");
    await hasNoFaults();
  });

  test("the health of all services, of one, and of another time, is an address", async () => {
    const from = new Date(Date.now() - 600_000).toISOString();
    const outage = { from, to: from, seconds: 42, reason: "crash", message: "exit code 1" };
    said.services = stackWith("api", { dependsOn: ["redis"] });
    said.past = [past("api"), past("redis")];
    said.outages = [
      { service: "redis", ...outage, end: "lasting" },
      { service: "api", ...outage, end: "healthy" },
    ];
    await open(page, `${dashboard.url}/uptime`);
    await takenOver(page);
    await page.getByText("api needs it.").waitFor();
    await page.getByText("It needs redis, which was away as well.").waitFor();
    await hasNoFaults();
    await page.getByRole("link", { name: "7 d", exact: true }).click();
    await page.waitForURL("**/uptime?window=7d");
    await page.waitForSelector("[aria-current=page]:text('7 d')");
    await page.selectOption("label select", "redis");
    await page.waitForURL("**/uptime?service=redis&window=7d");
    await page.waitForSelector("[data-testid=latency-chart]");
    assert.equal(await page.locator("[data-testid=outages] li").count(), 1);
    await hasNoFaults();
    await page.goBack();
    await page.waitForURL("**/uptime?window=7d");
    await page.waitForSelector("[data-testid=uptime-api]");
    await page.keyboard.press("g");
    await page.keyboard.press("s");
    await page.setViewportSize({ width: 1280, height: 720 });
    await page.getByRole("img", { name: /redis in the last 1 h/ }).waitFor();
    await hasNoFaults();
  });

  test("a past that cannot be read, and one that has nothing", async () => {
    said.historyError = "the database does not answer";
    await open(page, `${dashboard.url}/uptime`);
    await problem("api_error");
    await hasNoFaults();
    said.historyError = undefined;
    await takenOver(page);
    await page.click("text=Try now");
    await page.waitForSelector("[data-testid=no-past]");
    await hasNoFaults();
    await open(page, `${dashboard.url}/uptime?service=nobody`);
    await problem("not_found");
    await hasNoFaults();
  });

  test("another environment is an address, which every screen keeps, and one that goes is told", async () => {
    said.environments = { dev: healthyStack(), "pr-1": stackWith("redis", crashed) };
    await open(page, dashboard.url);
    await takenOver(page);
    await showsState(page, "redis", "healthy");
    await page.selectOption("[data-testid=environment]", "pr-1");
    await page.waitForURL("**/?environment=pr-1");
    await showsState(page, "redis", "unhealthy");
    await hasNoFaults();
    for (const key of ["l", "u", "h", "a", "s"]) {
      await page.keyboard.press("g");
      await page.keyboard.press(key);
      await page.waitForURL(/environment=pr-1/);
    }
    await showsState(page, "redis", "unhealthy");
    await page.click("[data-testid=service-redis] th a");
    await page.waitForURL("**/services/redis?environment=pr-1");
    await page.waitForSelector("[data-testid=detail][data-state=unhealthy]");
    said.environments = { dev: healthyStack(), "pr-2": healthyStack() };
    await problem("not_found");
    await page.getByText("pr-1 (not there)").waitFor({ state: "attached" });
    await hasNoFaults();
    await page.selectOption("[data-testid=environment]", "dev");
    await page.waitForURL("**/?environment=dev");
    await showsState(page, "redis", "healthy");
    await page.goBack();
    await problem("not_found");
  });

  test("the keyboard alone reaches each screen", async () => {
    await open(page, dashboard.url);
    await takenOver(page);
    await page.keyboard.press("Control+k");
    await page.waitForSelector("[data-testid=palette]");
    await page.keyboard.type("red");
    await hasNoFaults();
    await page.keyboard.press("Enter");
    await page.waitForURL("**/services/redis");
    await page.keyboard.press("?");
    await page.waitForSelector("[data-testid=help]");
    await hasNoFaults();
    await page.keyboard.press("Escape");
    await page.waitForSelector("[data-testid=help]", { state: "detached" });
    await page.keyboard.press("g");
    await page.keyboard.press("h");
    await page.waitForURL("**/history");
    await page.getByRole("heading", { level: 1, name: "History" }).waitFor();
    await page.keyboard.press("g");
    await page.keyboard.press("s");
    await showsState(page, "redis", "healthy");
  });

  test("the activity is for who is logged in", async () => {
    await open(page, `${dashboard.url}/activity`);
    await problem("not_logged_in");
    await hasNoFaults();
    await takenOver(page);
    await page.context().addCookies([{ name: "zr_session", value: SESSION, url: dashboard.url }]);
    const at = new Date().toISOString();
    const done = { id: 1, at, actor: "ana", action: "logIn", target: "operator", outcome: "done" };
    said.records = [{ ...done, id: 2, outcome: "refused", detail: "not for viewers" }, done];
    await page.waitForSelector("[data-testid=records] [data-outcome=refused]");
    await hasNoFaults();
    await page.selectOption("select", "done");
    await page.waitForURL("**/activity?outcome=done");
    await page.getByRole("link", { name: "log in" }).first().click();
    await page.waitForURL("**/activity?action=logIn&outcome=done");
    await page.getByRole("link", { name: "Without the filter log in" }).waitFor();
    await hasNoFaults();
    const download = page.waitForEvent("download");
    await page.click("text=Export");
    assert.equal((await download).suggestedFilename(), "activity.ndjson");
  });

  test("an api that is for viewers alone says how to log in, and is not asked on and on", async () => {
    said.closed = true;
    for (const path of ["/services/redis", "/history", "/uptime", "/"]) {
      await open(page, `${dashboard.url}${path}`);
      await problem("not_logged_in");
      await hasNoFaults();
    }
    await takenOver(page);
    await page.waitForLoadState("networkidle");
    const before = said.refused;
    await sleep(SEVERAL_POLLS_MS);
    assert.equal(said.refused, before);
    await open(page, dashboard.url);
    await problem("not_logged_in");
    await takenOver(page);
    // What is asked for without a session is answered before there is one.
    await page.waitForLoadState("networkidle");
    await page.context().addCookies([{ name: "zr_session", value: SESSION, url: dashboard.url }]);
    await freshness("live");
    await hasNoFaults();
  });

  test("a viewer sees why he may change nothing", async () => {
    await page.context().addCookies([{ name: "zr_session", value: SESSION, url: dashboard.url }]);
    said.role = "viewer";
    await open(page, dashboard.url);
    await takenOver(page);
    await page.getByRole("button", { name: "Actions of redis" }).click();
    await page.waitForSelector("[data-testid=why-not]");
    assert.equal(await page.getByRole("button", { name: "Stop" }).isDisabled(), true);
    await hasNoFaults();
  });

  test("a service is stopped by keyboard, by who was told what depends on it", async () => {
    await page.context().addCookies([{ name: "zr_session", value: SESSION, url: dashboard.url }]);
    const asked = () =>
      new Promise((resolve) => {
        said.onAction = (name, action, answer) => resolve({ name, action, answer });
      });
    said.services = stackWith("api", { dependsOn: ["redis"] });
    await open(page, dashboard.url);
    await takenOver(page);
    await page.keyboard.press("Control+k");
    await page.keyboard.type("stop redis");
    await page.keyboard.press("Enter");
    const consequence = page.locator("[data-testid=consequence]");
    assert.match(await consequence.textContent(), /api depends on it/);
    await hasNoFaults();
    const first = asked();
    await page.keyboard.press("Enter");
    await page.waitForSelector("[data-testid=notice][data-outcome=going]");
    await hasNoFaults();
    const { name, action, answer } = await first;
    assert.deepEqual([name, action], ["redis", "stop"]);
    answer(504, apiProblem("not_in_effect", "1 of 0 pods are ready"));
    await page.waitForSelector("[data-testid=notice][data-outcome=failed]");
    await hasNoFaults();
    await page.click("text=Try again");
    const second = asked();
    await page.getByRole("button", { name: "Stop", exact: true }).click();
    (await second).answer(200, { service: "redis", replicas: 0, ready: 0, generation: 2 });
    await page.waitForSelector("[data-testid=notice][data-outcome=done]");
    await hasNoFaults();
  });

  test("a service goes back to a revision, by keyboard, where Kubernetes warns of it", async () => {
    await page.context().addCookies([{ name: "zr_session", value: SESSION, url: dashboard.url }]);
    const at = new Date().toISOString();
    const pod = "Pod/redis-0";
    said.told = [
      { at, warning: true, object: pod, reason: "BackOff", message: "restarting failed container" },
      ...Array.from({ length: 9 }, (_, i) => ({
        at,
        warning: false,
        object: pod,
        reason: "Pulled",
        message: `image ${i}`,
      })),
    ];
    const images = ["localhost/zr/redis@sha256:0be3914d55af0be3914d55af"];
    said.revisions = [
      { revision: 3, current: true, images, createdAt: at, cause: "another image" },
      { revision: 2, current: false, images, createdAt: at },
    ];
    await open(page, `${dashboard.url}/services/redis`);
    await takenOver(page);
    await page.getByText("Warning: BackOff").waitFor();
    await hasNoFaults();
    await page.getByRole("button", { name: "Show all 10" }).press("Enter");
    await page.getByText("image 8").waitFor();
    const asked = new Promise((resolve) => {
      said.onAction = (name, action, answer) => resolve({ name, action, answer });
    });
    await page.getByRole("button", { name: "Roll back to revision 2" }).press("Enter");
    const consequence = page.locator("[data-testid=consequence]");
    assert.match(await consequence.textContent(), /those of revision 2/);
    await hasNoFaults();
    await page.keyboard.press("Enter");
    const { name, action, answer } = await asked;
    assert.deepEqual([name, action], ["redis", "rollback"]);
    said.revisions = [
      { revision: 4, current: true, images, createdAt: at },
      { revision: 3, current: false, images, createdAt: at },
    ];
    answer(200, { service: "redis", replicas: 1, ready: 1, generation: 4 });
    await page.getByText("redis is at revision 2: 1 of 1 pod ready").waitFor();
    await page.getByRole("button", { name: "Roll back to revision 3" }).waitFor();
    await hasNoFaults();
  });

  test("a Job is run again from its page, and says that it failed", async () => {
    await page.context().addCookies([{ name: "zr_session", value: SESSION, url: dashboard.url }]);
    said.services = stackWith("redis", { kind: "Job" });
    await open(page, `${dashboard.url}/services/redis`);
    await takenOver(page);
    await hasNoFaults();
    said.onAction = (_, action, answer) =>
      answer(502, apiProblem("job_failed", `the Job was asked to ${action} and failed`));
    await page.getByRole("button", { name: "Run again" }).click();
    await page.waitForSelector("[data-testid=action-dialog][data-action=run]");
    await hasNoFaults();
    await page.keyboard.press("Enter");
    await page.getByText("Run redis again: the Job failed").waitFor();
    await page.getByText("the Job was asked to run and failed").waitFor();
    await hasNoFaults();
  });

  test("an address of nothing leads back", async () => {
    await open(page, `${dashboard.url}/no/such/page`);
    await page.waitForSelector("[data-testid=nothing-here]");
    await hasNoFaults();
    await page.click("text=Show all services");
    await showsState(page, "redis", "healthy");
  });
});
