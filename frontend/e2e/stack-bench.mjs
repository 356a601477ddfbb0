// Measures how soon the dashboard of a stack that runs paints, in a real browser.
//
//   BASE_URL       where it is, for example http://localhost:3000
//   LOGIN_LINK     what `zr dashboard` prints
//   WRITE_COMMAND  writes lines "sent at MS", with the milliseconds since the epoch, to the
//                  stdout of a container of the stack, and ends (a shell command)
//
// Prints one JSON document, in milliseconds.

import { exec } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { launch, logIn, open, takenOver } from "./support/browser.mjs";
import { installAges } from "./support/painted.mjs";

const run = promisify(exec);

const { BASE_URL, LOGIN_LINK, WRITE_COMMAND } = process.env;
const LOADS = 10;
const TIMEOUT_MS = 60_000;

/** How long what was written last may take to be painted: what comes later is not counted. */
const SETTLE_MS = 2_000;

/** Runs in the page: when its largest part was painted, since the page was asked for. */
function largestPaint() {
  return new Promise((resolve) => {
    new PerformanceObserver((list) => resolve(list.getEntries().at(-1).startTime)).observe({
      type: "largest-contentful-paint",
      buffered: true,
    });
  });
}

/** Loads the overview again and again, each time as a browser that was never there. */
async function overviewPainted(browser, storageState) {
  const samples = [];
  for (let i = 0; i < LOADS; i++) {
    const context = await browser.newContext({ storageState });
    const page = await context.newPage();
    await open(page, BASE_URL);
    await takenOver(page);
    await page.waitForSelector("[data-testid^=service-]");
    samples.push(await page.evaluate(largestPaint));
    await context.close();
  }
  return samples;
}

async function linesPainted(context) {
  const page = await context.newPage();
  await open(page, new URL("/logs", BASE_URL).href);
  await page.waitForSelector("[data-testid=feed][data-status=live]");
  await page.evaluate(installAges, "[data-testid=line]");
  await run(WRITE_COMMAND);
  await sleep(SETTLE_MS);
  return page.evaluate(() => globalThis.ages);
}

const browser = await launch();
try {
  const context = await browser.newContext();
  await logIn(context, LOGIN_LINK, TIMEOUT_MS);
  const overview = await overviewPainted(browser, await context.storageState());
  const lines = await linesPainted(context);
  process.stdout.write(`${JSON.stringify({ overview, lines })}\n`);
} finally {
  await browser.close();
}
