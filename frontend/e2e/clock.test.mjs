// A browser whose clock is ten minutes off shows what one does whose clock is right.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { takenOver } from "./support/browser.mjs";
import { scripted } from "./support/scripted.mjs";

const MINUTE = 60_000;

/** Runs in the page before its scripts: the clock is off. */
function setClock(ahead) {
  const { now } = Date;
  globalThis.Date = class extends Date {
    constructor(...of) {
      super(...(of.length === 0 ? [now() + ahead] : of));
    }
    static now() {
      return now() + ahead;
    }
  };
}

describe("a clock that is off", () => {
  const run = scripted({ loggedIn: true });

  for (const [name, ahead] of [
    ["ahead", 10 * MINUTE],
    ["behind", -10 * MINUTE],
  ]) {
    test(`ten minutes ${name}: ages, what is called lately, and an absence are by the clock of the server`, async () => {
      const { page, said, upstream } = run;
      const at = new Date(Date.now() - 2 * MINUTE).toISOString();
      said.events = [{ id: 1, service: "redis", state: "healthy", previous: "starting", at }];
      await page.addInitScript(setClock, ahead);
      await run.show();
      const off = await page.evaluate(() => Date.now());
      assert.ok(Math.abs(off - ahead - Date.now()) < MINUTE, "the clock is not off");
      const age = page.getByTestId("history").locator("time");
      await age.getByText(/^[23] min ago$/).waitFor();
      await page
        .getByTestId("freshness")
        .getByText(/^updated (just now|\d s ago)$/)
        .waitFor();
      await page.getByRole("button", { name: "Errors of redis in the last 2 minutes" }).click();
      await page.waitForURL("**/logs?**");
      await takenOver(page);
      const from = Date.parse(new URL(page.url()).searchParams.get("from"));
      const asked = (Date.now() - from) / MINUTE;
      assert.ok(asked > 1.9 && asked < 4, `${asked} minutes`);
      await upstream.stop();
      try {
        await page.waitForSelector("[data-testid=reconnect][data-state=away]");
        const since = await page.getByTestId("reconnect").locator("time").getAttribute("datetime");
        const minutes = Math.abs(Date.now() - Date.parse(since)) / MINUTE;
        assert.ok(minutes < 4, `it is said to be away for ${minutes} minutes`);
      } finally {
        await upstream.start();
      }
      await page.waitForSelector("[data-testid=reconnect][data-state=back]");
    });
  }
});
