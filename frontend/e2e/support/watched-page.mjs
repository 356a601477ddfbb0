// A page of the dashboard that notes to the millisecond when it shows something.

import { open } from "./browser.mjs";

/** As often as Chromium lets a timer run, in milliseconds. */
const CHECK_MS = 4;

/**
 * Runs in the page: a text is noticed by the mutation that brings it, a style
 * by looking.
 */
function installWatch(checkMs) {
  const has = ({ selector, property, text }) =>
    property
      ? getComputedStyle(document.documentElement).getPropertyValue(property).trim() === text
      : [...document.querySelectorAll(selector)].some((part) => part.textContent.includes(text));

  globalThis.watchFor = (shown) => {
    globalThis.seenAt = new Promise((resolve) => {
      const check = () => {
        if (has(shown)) {
          observer.disconnect();
          clearInterval(timer);
          resolve(Date.now());
        }
      };
      const observer = new MutationObserver(check);
      observer.observe(document, { childList: true, characterData: true, subtree: true });
      const timer = setInterval(check, checkMs);
    });
  };
}

/** The dashboard, opened and held still: that it is paused is the state which every edit must keep. */
export class WatchedPage {
  #page;
  #loads = 0;

  static async open(browser, url, timeoutMs) {
    const context = await browser.newContext({ colorScheme: "light" });
    const page = await context.newPage();
    page.setDefaultTimeout(timeoutMs);
    const watched = new WatchedPage(page);
    await watched.#start(url);
    page.on("load", () => {
      watched.#loads++;
    });
    return watched;
  }

  constructor(page) {
    this.#page = page;
  }

  async #start(url) {
    await open(this.#page, url);
    await this.#page.waitForSelector("[data-testid=summary]");
    await this.#pause();
    await this.#page.evaluate(installWatch, CHECK_MS);
  }

  async #pause() {
    await this.#page.click("[data-testid=pause]");
    await this.#page.locator("[data-testid=pause]", { hasText: "Resume" }).waitFor();
  }

  /** Starts to look for something; seen() tells when it came. */
  watchFor(shown) {
    return this.#page.evaluate((wanted) => globalThis.watchFor(wanted), shown);
  }

  /** When it was shown, in milliseconds since the epoch, or null where it was not in time. */
  seen(timeoutMs) {
    return this.#page
      .evaluate(
        (limit) =>
          Promise.race([
            globalThis.seenAt,
            new Promise((resolve) => setTimeout(() => resolve(null), limit)),
          ]),
        timeoutMs,
      )
      .catch(() => null); // The page was loaded anew, which stateLost tells.
  }

  /** Whether the page lost its state since it was asked last. It is then set up again. */
  async stateLost(url) {
    const offered = await this.#page
      .locator("[data-testid=pause]")
      .textContent()
      .catch(() => null);
    if (this.#loads === 0 && offered === "Resume") {
      return false;
    }
    await this.#start(url);
    this.#loads = 0;
    return true;
  }
}
