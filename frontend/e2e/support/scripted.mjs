// What the tests of the dashboard without a cluster share: the server as it is
// built, over an api that says what a test tells it to, and a page for each test.

import assert from "node:assert/strict";
import { after, before, beforeEach } from "node:test";
import {
  accessibilityViolations,
  clippedParts,
  launch,
  newContext,
  open,
  takenOver,
} from "./browser.mjs";
import { startNext } from "./next-server.mjs";
import { healthyStack, SESSION, startUpstream } from "./upstream.mjs";

/** Longer than the page takes to notice anything: its timeouts, its polls and a busy machine. */
const TIMEOUT = 60_000;

/** Registers all of it for the suite that calls it. What it returns is filled in before each test. */
export function scripted({ loggedIn = false } = {}) {
  const run = { said: {}, timeout: TIMEOUT };
  let browser;
  before(async () => {
    run.upstream = await startUpstream(run.said);
    run.dashboard = await startNext({ env: { API_URL: run.upstream.url } });
    browser = await launch();
  });
  after(async () => {
    await browser?.close();
    await run.dashboard?.stop();
    await run.upstream?.stop();
  });
  beforeEach(async (t) => {
    for (const key of Object.keys(run.said)) {
      delete run.said[key];
    }
    run.said.services = healthyStack();
    const context = await newContext(browser);
    t.after(() => context.close());
    run.page = await context.newPage();
    run.page.setDefaultTimeout(TIMEOUT);
    if (loggedIn) {
      await run.logIn();
    }
  });

  run.logIn = (session = SESSION) =>
    run.page.context().addCookies([{ name: "zr_session", value: session, url: run.dashboard.url }]);

  /** Opens a path, and waits until the page listens. */
  run.show = async (path = "/") => {
    await open(run.page, run.dashboard.url + path);
    await takenOver(run.page);
  };

  run.hasNoFaults = async () => {
    const { page } = run;
    for (const colorScheme of ["light", "dark"]) {
      await page.emulateMedia({ colorScheme });
      assert.deepEqual(await accessibilityViolations(page), [], colorScheme);
    }
    await page.setViewportSize({ width: 320, height: 640 });
    assert.deepEqual(await clippedParts(page), []);
    await page.setViewportSize({ width: 1280, height: 720 });
  };
  return run;
}
