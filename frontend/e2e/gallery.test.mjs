// The page of all components, in a real browser.

import assert from "node:assert/strict";
import { after, before, beforeEach, describe, test } from "node:test";
import {
  accessibilityViolations,
  complaintsOf,
  launch,
  newContext,
  open,
} from "./support/browser.mjs";
import { startGallery } from "./support/gallery.mjs";

/** The same landmark is there in each of its states, as on no screen. */
const WITHOUT = ["landmark-unique"];

/** Longer than a development build takes to make the page on a busy machine. */
const TIMEOUT = 180_000;

describe("the page of all components", () => {
  let gallery;
  let browser;
  let page;
  let complaints;
  before(async () => {
    gallery = await startGallery();
    browser = await launch();
  });
  after(async () => {
    await browser?.close();
    await gallery?.stop();
  });
  beforeEach(async (t) => {
    const context = await newContext(browser);
    t.after(() => context.close());
    context.setDefaultTimeout(TIMEOUT);
    context.setDefaultNavigationTimeout(TIMEOUT);
    await context.addCookies([gallery.session]);
    page = await context.newPage();
    complaints = complaintsOf(page, gallery.origin);
    await open(page, gallery.url);
    await page.waitForSelector("[data-testid=gallery][data-listens=true]");
  });

  async function hasNoFaults(of, within) {
    for (const colorScheme of ["light", "dark"]) {
      await page.emulateMedia({ colorScheme });
      assert.deepEqual(
        await accessibilityViolations(page, { without: WITHOUT, within }),
        [],
        `${of}: ${colorScheme}`,
      );
    }
    assert.deepEqual(complaints, [], of);
  }

  test("every state of every component is without faults, light and dark, without a word in the console", async () => {
    assert.ok((await page.locator("[data-component]").count()) > 30);
    await hasNoFaults("the page");
  });

  test("so is every dialog", async () => {
    for (const opens of await page.locator("[data-opens]").all()) {
      await opens.click();
      const dialog = page.getByRole("dialog");
      await dialog.waitFor();
      await hasNoFaults(await dialog.getAttribute("aria-label"), "dialog[open]");
      await page.keyboard.press("Escape");
      await dialog.waitFor({ state: "detached" });
    }
  });

  test("and what is around it while something is away or the session has ended, and once that is over", async () => {
    for (const [what, banner] of [
      ["lost", "[data-testid=reconnect][data-state=away]"],
      ["found", "[data-testid=reconnect][data-state=back]"],
      ["ended", "[data-testid=session-ended]"],
    ]) {
      await page.locator(`[data-brings=${what}]`).click();
      await page.waitForSelector(banner);
      await hasNoFaults(what, "[role=status]");
    }
    await page.locator("[data-brings=renewed]").click();
    await page.waitForSelector("[data-testid=session-ended]", { state: "detached" });
  });
});
