// What a stack that runs looks like while a part of it is away, or somebody may not do
// what he asks for, in a real browser.
//
//   BASE_URL     where its dashboard is, for example http://localhost:3000
//   KUBECTL      kubectl on its cluster
//   ZR           zr on its project
//   VIEWER_LINK  a login link of a viewer, not yet used

import assert from "node:assert/strict";
import { after, before, beforeEach, describe, test } from "node:test";
import {
  accessibilityViolations,
  launch,
  logIn,
  newContext,
  open,
  takenOver,
} from "./support/browser.mjs";
import { kubectl, zr } from "./support/commands.mjs";

const { BASE_URL, KUBECTL, VIEWER_LINK } = process.env;

/** Longer than a pod takes to start on a busy machine. */
const TIMEOUT = 180_000;

const scale = (workload, pods) => kubectl("-n", "zr-dev", "scale", workload, `--replicas=${pods}`);

describe("a part of a running stack is away", { skip: !KUBECTL && "KUBECTL is not set" }, () => {
  let browser;
  let context;
  before(async () => {
    browser = await launch();
  });
  after(() => browser?.close());
  beforeEach(async (t) => {
    context = await newContext(browser);
    context.setDefaultTimeout(TIMEOUT);
    t.after(() => context.close());
  });

  /** Opens a screen in a tab of its own. */
  async function visit(path) {
    const page = await context.newPage();
    await open(page, new URL(path, BASE_URL).href);
    await takenOver(page);
    return page;
  }

  async function hasNoFaults(page) {
    for (const colorScheme of ["light", "dark"]) {
      await page.emulateMedia({ colorScheme });
      assert.deepEqual(await accessibilityViolations(page), [], `${page.url()}: ${colorScheme}`);
    }
  }

  const problem = (page, code) => page.waitForSelector(`[data-testid=problem][data-code=${code}]`);
  const banner = (page, state) =>
    page.waitForSelector(`[role=status] [data-testid=reconnect][data-state=${state}]`);

  test("a viewer sees everything, is told why he may change nothing, and is refused by the api as well", async () => {
    await logIn(context, VIEWER_LINK, TIMEOUT);
    const page = await visit("/services/frontend");
    await page.waitForSelector("[data-testid=container-frontend]");
    await page.getByRole("button", { name: "Restart" }).click();
    await page.locator("[data-testid=why-not]", { hasText: "is a viewer" }).waitFor();
    const dialog = page.locator("[data-testid=action-dialog]");
    assert.equal(await dialog.getByRole("button", { name: "Restart" }).isDisabled(), true);
    await hasNoFaults(page);
    const forced = await page.evaluate(async () => {
      const headers = { "Idempotency-Key": crypto.randomUUID() };
      const answer = await fetch("/api/v1/services/frontend/restart", { method: "POST", headers });
      return [answer.status, (await answer.json()).error.code];
    });
    assert.deepEqual(forced, [403, "not_allowed"]);
  });

  test("a session that expires while one writes is told, loses nothing, and goes on after the next login", async () => {
    await logIn(context, await zr("dashboard"), TIMEOUT);
    const page = await visit("/configuration");
    const written = page.getByLabel("Value of LOG_LEVEL");
    await written.fill("error");
    const services = await visit("/services/frontend");
    await services.waitForSelector("[data-testid=container-frontend]");
    const expires =
      "redis-cli --scan --pattern '*session:*' | xargs -n 1 -I KEY redis-cli pexpire KEY 1";
    await kubectl("-n", "zr-dev", "exec", "redis-0", "--", "sh", "-c", expires);
    for (const tab of [page, services]) {
      await tab.locator("[data-testid=session-ended]", { hasText: "zr dashboard" }).waitFor();
      await hasNoFaults(tab);
    }
    await logIn(context, await zr("dashboard"), TIMEOUT);
    for (const tab of [page, services]) {
      await tab.waitForSelector("[data-testid=session-ended]", { state: "detached" });
    }
    assert.equal(await written.inputValue(), "error");
    await page.locator("[data-testid=effects]", { hasText: "Rolls api." }).waitFor();
    await page.getByRole("button", { name: "Discard", exact: true }).click();
    await services.getByRole("button", { name: "Restart" }).click();
    await services.waitForSelector("[data-testid=consequence]");
    assert.equal(await services.locator("[data-testid=why-not]").count(), 0);
  });

  test("without PostgreSQL each screen says what it cannot read, and has it again by itself", async (t) => {
    await logIn(context, await zr("dashboard"), TIMEOUT);
    const overview = await visit("/");
    await overview.waitForSelector("[data-testid=history]");
    const history = await visit("/history");
    await history.waitForSelector("[data-testid=history]");
    t.after(() => scale("statefulset/postgres", 1));
    await scale("statefulset/postgres", 0);
    await overview.waitForSelector("[data-testid=service-postgres][data-state=pending]");
    await overview.waitForSelector("[data-testid=history-problem]");
    await overview.waitForSelector("[data-testid=freshness][data-freshness=live]");
    await hasNoFaults(overview);
    await history.waitForSelector("[data-testid=history-problem]");
    await hasNoFaults(history);
    // What nothing was known of yet.
    const activity = await visit("/activity");
    await problem(activity, "api_error");
    await hasNoFaults(activity);
    const revisions = await visit("/configuration?tab=revisions");
    await revisions.waitForSelector("[data-testid=unread][data-code=api_error]");
    await hasNoFaults(revisions);
    await scale("statefulset/postgres", 1);
    await overview.waitForSelector("[data-testid=service-postgres][data-state=healthy]");
    for (const page of [overview, history]) {
      await page.waitForSelector("[data-testid=history-problem]", { state: "detached" });
      await page.waitForSelector("[data-testid=history]");
    }
    await activity.waitForSelector("[data-testid=records]");
    await revisions.waitForSelector("[data-testid=revisions], [data-testid=no-revisions]");
  });

  test("an api that is away is told on each screen, and what happened meanwhile once it is back", async (t) => {
    await logIn(context, await zr("dashboard"), TIMEOUT);
    const overview = await visit("/");
    const logs = await visit("/logs?service=frontend");
    await logs.waitForSelector("[data-testid=feed][data-status=live]");
    t.after(() => scale("deployment/api", 1));
    await scale("deployment/api", 0);
    await overview.waitForSelector("[data-testid=freshness][data-freshness=stale]");
    await overview.waitForSelector("[data-testid=service-redis]");
    await banner(overview, "away");
    await hasNoFaults(overview);
    await banner(logs, "away");
    await logs.waitForSelector("[data-testid=feed][data-status=away]");
    await hasNoFaults(logs);
    const later = await visit("/uptime");
    await problem(later, "api_unreachable");
    await scale("deployment/api", 1);
    for (const page of [overview, logs]) {
      await banner(page, "back");
      await hasNoFaults(page);
    }
    await overview.locator("[data-testid=reconnect]", { hasText: /eanwhile/ }).waitFor();
    await overview.waitForSelector("[data-testid=freshness][data-freshness=live]");
    await overview.waitForSelector("[data-testid=service-api][data-state=healthy]");
    await logs.waitForSelector("[data-testid=feed][data-status=live]");
    await later.waitForSelector("[data-testid=uptime-redis]");
    await overview.getByRole("button", { name: "Dismiss" }).click();
    await overview.waitForSelector("[data-testid=reconnect]", { state: "detached" });
  });
});
