// What the dashboard says once the api was away and is back, in a real browser.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { accessibilityViolations } from "./support/browser.mjs";
import { save } from "./support/run-events.mjs";
import { scripted } from "./support/scripted.mjs";

describe("the connection", () => {
  const run = scripted({ loggedIn: true });

  const banner = (state) =>
    run.page.waitForSelector(`[role=status] [data-testid=reconnect][data-state=${state}]`);
  const says = (text) => run.page.locator("[data-testid=reconnect]", { hasText: text }).waitFor();

  /** Takes the api away until the page says so. */
  async function away() {
    await run.upstream.stop();
    try {
      await banner("away");
      await says(/The api has not answered since/);
    } finally {
      await run.upstream.start();
    }
  }

  const change = (id, service) => ({
    id,
    service,
    state: "healthy",
    previous: "starting",
    at: new Date().toISOString(),
  });

  test("an api that was away is told with what happened meanwhile, on every screen, until that is dismissed", async () => {
    const { page, said } = run;
    said.events = [{ ...change(1, "api"), at: new Date(Date.now() - 3_600_000).toISOString() }];
    await run.show();
    await page.waitForSelector("[data-testid=history]");
    await run.upstream.stop();
    try {
      await banner("away");
      for (const colorScheme of ["light", "dark"]) {
        await page.emulateMedia({ colorScheme });
        assert.deepEqual(await accessibilityViolations(page), [], colorScheme);
      }
      said.events = [change(3, "redis"), change(2, "redis"), ...said.events];
      said.runEvents = [save()];
    } finally {
      await run.upstream.start();
    }
    await banner("back");
    await says("Meanwhile: 2 changes of services, 1 reload.");
    await run.hasNoFaults();
    for (const key of ["l", "u", "r", "c", "i", "h", "a", "s"]) {
      await page.keyboard.press("g");
      await page.keyboard.press(key);
      await page.waitForSelector("nav [aria-current=page]");
      await banner("back");
    }
    await page.getByRole("link", { name: "2 changes of services" }).press("Enter");
    await page.waitForURL("**/history");
    await page.getByRole("button", { name: "Dismiss" }).press("Enter");
    await page.waitForSelector("[data-testid=reconnect]", { state: "detached" });
  });

  test("an absence of which nothing is known says where to look", async () => {
    await run.show("/uptime");
    await away();
    await says("What happened meanwhile is in the history.");
  });

  test("lines that a view left out are counted, and lead to the logs of that time", async () => {
    const { page, said } = run;
    const line = { id: "1", time: new Date().toISOString(), service: "api", level: "info" };
    said.lines = [{ ...line, message: "before" }];
    await run.show("/logs");
    await page.waitForSelector("[data-testid=feed][data-status=live]");
    await away();
    await run.upstream.watched("/api/v1/logs/live");
    run.upstream.write([
      { ...line, id: "2", message: "", skipped: 40 },
      { ...line, id: "43", message: "after" },
    ]);
    await says("40 lines skipped");
    await page.getByRole("link", { name: "40 lines skipped" }).click();
    await page.waitForURL(/\/logs\?from=.*&to=/);
  });

  test("views that are away alone are told too", async () => {
    await run.show();
    await run.upstream.watched("/api/v1/live/services");
    run.said.noViews = true;
    run.upstream.interrupt();
    await banner("away");
    await says(/What comes live has been away since/);
    run.said.noViews = false;
    await banner("back");
  });
});
