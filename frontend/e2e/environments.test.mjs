// Two environments that share a dashboard, of which one is deleted, in a real browser.
//
//   BASE_URL  where the dashboard is that the environments hello and hello-b have
//   KUBECTL   kubectl on their cluster
//   ZR        zr on hello-b

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import {
  accessibilityViolations,
  launch,
  logIn,
  newContext,
  open,
  showsState,
  takenOver,
} from "./support/browser.mjs";
import { zr } from "./support/commands.mjs";

const { BASE_URL, ZR } = process.env;

/** Longer than an environment takes to go on a busy machine. */
const TIMEOUT = 180_000;

describe("two environments that run", { skip: !ZR && "ZR is not set" }, () => {
  let browser;
  let page;
  before(async () => {
    browser = await launch();
    const context = await newContext(browser);
    context.setDefaultTimeout(TIMEOUT);
    await logIn(context, await zr("dashboard"), TIMEOUT);
    page = await context.newPage();
  });
  after(() => browser?.close());

  async function hasNoFaults() {
    for (const colorScheme of ["light", "dark"]) {
      await page.emulateMedia({ colorScheme });
      assert.deepEqual(await accessibilityViolations(page), [], colorScheme);
    }
  }

  test("each is an address that every screen keeps, and one that is deleted is told", async () => {
    await open(page, new URL("/", BASE_URL).href);
    await takenOver(page);
    await showsState(page, "greeter", "healthy", TIMEOUT);
    await page.getByTestId("environment").selectOption("hello-b");
    await page.waitForURL("**/?environment=hello-b");
    await showsState(page, "greeter", "healthy", TIMEOUT);
    await hasNoFaults();
    for (const key of ["l", "u", "r", "c", "i", "h", "a", "s"]) {
      await page.keyboard.press("g");
      await page.keyboard.press(key);
      await page.waitForURL(/environment=hello-b/);
      await page.waitForSelector("nav [aria-current=page]");
    }
    await page.click("[data-testid=service-web] th a");
    await page.waitForURL("**/services/web?environment=hello-b");
    await page.waitForSelector("[data-testid=detail][data-state=healthy]");

    await zr("down", "--purge", "--yes");
    await page.waitForSelector("[data-testid=problem][data-code=not_found]");
    await page.getByText("hello-b (not there)").waitFor({ state: "attached" });
    await hasNoFaults();
    await page.getByTestId("environment").selectOption("hello");
    await page.waitForURL("**/?environment=hello");
    await showsState(page, "web", "healthy", TIMEOUT);
  });
});
