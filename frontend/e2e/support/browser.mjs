// Debian's Chromium, driven by playwright-core.

import { createRequire } from "node:module";
import { chromium } from "playwright-core";

const axeSource = createRequire(import.meta.url).resolve("axe-core/axe.min.js");

/** Starts the browser of CHROMIUM (default: Debian's) with a profile of its own, and without any traffic of its own. */
export function launch() {
  return chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: [
      "--headless",
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ],
  });
}

/**
 * Notes what a page complains about: console errors, uncaught exceptions and
 * requests that leave the origin. A response with an error status is one too,
 * unless the test expects it.
 */
export function complaintsOf(page, origin) {
  const complaints = [];
  page.on("console", (message) => {
    if (message.type() === "error") {
      complaints.push(`console: ${message.text()}`);
    }
  });
  page.on("pageerror", (error) => complaints.push(`exception: ${error.message}`));
  page.on("request", (request) => {
    const url = new URL(request.url());
    if (url.protocol.startsWith("http") && url.origin !== origin) {
      complaints.push(`request to another origin: ${url.origin}`);
    }
  });
  return complaints;
}

/** What axe-core finds wrong with a page, one line for each element. */
export async function accessibilityViolations(page) {
  await page.addScriptTag({ path: axeSource });
  const { violations } = await page.evaluate(() => globalThis.axe.run(document));
  return violations.flatMap(({ id, nodes }) =>
    nodes.map((node) => `${id}: ${node.target.join(" ")}: ${node.failureSummary}`),
  );
}

/** Waits until the service's row shows one of the states. */
export function showsState(page, service, state, timeout) {
  return page.waitForSelector(`[data-testid="service-${service}"][data-state="${state}"]`, {
    timeout,
  });
}
