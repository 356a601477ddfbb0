// Debian's Chromium, driven by playwright-core.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { chromium } from "playwright-core";

const axeSource = readFileSync(
  createRequire(import.meta.url).resolve("axe-core/axe.min.js"),
  "utf8",
);

/**
 * Chromium ends every request, also those to this machine, when a network
 * interface comes or goes, as they do beside a cluster. That is no fault of
 * the page.
 */
const NETWORK_CHANGED = "net::ERR_NETWORK_CHANGED";
const OPEN_ATTEMPTS = 5;

/** Starts the browser of CHROMIUM (default: Debian's) with a profile of its own and no traffic of its own. */
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
 * A browser's window of its own, of somebody who is not where the server is and whose
 * browser speaks another language: what the server writes must be what that browser
 * makes of it. Kathmandu is 5 h 45 min ahead of UTC.
 */
export function newContext(browser, options) {
  return browser.newContext({ timezoneId: "Asia/Kathmandu", locale: "de-DE", ...options });
}

/** Opens a page, again where the network changed while it loaded. */
export async function open(page, url) {
  for (let attempt = 1; ; attempt++) {
    let interrupted = false;
    const note = (request) => {
      interrupted ||= request.failure()?.errorText === NETWORK_CHANGED;
    };
    page.on("requestfailed", note);
    try {
      await page.goto(url, { waitUntil: "load" });
    } catch (error) {
      // Of what was in place of the page, Playwright says "chrome-error" alone.
      if (!interrupted && !String(error).includes(NETWORK_CHANGED)) {
        throw error;
      }
      interrupted = true;
    } finally {
      page.off("requestfailed", note);
    }
    if (!interrupted) {
      return;
    }
    if (attempt === OPEN_ATTEMPTS) {
      throw new Error(`opening ${url}: the network changed ${attempt} times`);
    }
  }
}

/** Makes a browser that of who got a login link. */
export async function logIn(context, link, timeout) {
  const page = await context.newPage();
  const loggedIn = page.waitForResponse(
    (answer) => answer.url().endsWith("/api/v1/session") && answer.ok(),
    { timeout },
  );
  await page.goto(link);
  await loggedIn;
  await page.close();
}

/** Notes what a page complains about: console errors, uncaught exceptions and requests that leave the origin. */
export function complaintsOf(page, url) {
  const { origin } = new URL(url);
  const complaints = [];
  page.on("console", (message) => {
    if (message.type() === "error" && !message.text().includes(NETWORK_CHANGED)) {
      complaints.push(`console: ${message.text()}`);
    }
  });
  page.on("pageerror", (error) => complaints.push(`exception: ${error.message}`));
  page.on("request", (request) => {
    const target = new URL(request.url());
    if (target.protocol.startsWith("http") && target.origin !== origin) {
      complaints.push(`request to another origin: ${target.origin}`);
    }
  });
  return complaints;
}

/**
 * What axe-core finds wrong with a page, one line for each element; rules may be left
 * out, and only what is within a selector be looked at.
 */
export async function accessibilityViolations(page, { without = [], within } = {}) {
  // Not as an element: the policy of the page lets no script in but its own.
  await page.evaluate(axeSource);
  const rules = Object.fromEntries(without.map((rule) => [rule, { enabled: false }]));
  const { violations } = await page.evaluate(
    ({ part, options }) => globalThis.axe.run(part ?? document, options),
    { part: within, options: { rules } },
  );
  return violations.flatMap(({ id, nodes }) =>
    nodes.map((node) => `${id}: ${node.target.join(" ")}: ${node.failureSummary}`),
  );
}

/** Waits until the browser has taken over what the server rendered, and listens: only then is the icon that of a state. */
export function takenOver(page) {
  return page.waitForSelector("link[rel=icon][href^='data:']", { state: "attached" });
}

/** Waits until the service's row shows the state. */
export function showsState(page, service, state, timeout) {
  const row = `[data-testid="service-${service}"][data-state="${state}"]`;
  return page.waitForSelector(row, { timeout });
}

/**
 * What is wrong with what the page shows: what axe-core finds, light and dark, and
 * what reaches out of a narrow screen, which the page has afterwards.
 */
export async function faultsOf(page) {
  const faults = [];
  for (const colorScheme of ["light", "dark"]) {
    await page.emulateMedia({ colorScheme });
    const found = await accessibilityViolations(page);
    faults.push(...found.map((fault) => `${colorScheme}: ${fault}`));
  }
  await page.setViewportSize({ width: 320, height: 640 });
  return [...faults, ...(await clippedParts(page))];
}

/** Parts of the page that reach out of its main column, by tag and text. */
export function clippedParts(page) {
  return page.evaluate(() => {
    const main = document.querySelector("main");
    const padding = Number.parseFloat(getComputedStyle(main).paddingRight);
    const edge = main.getBoundingClientRect().right - padding;
    return [...main.querySelectorAll("*")]
      .filter((part) => part.getBoundingClientRect().right > edge + 0.5)
      .map((part) => `${part.tagName} ${part.textContent}`);
  });
}
