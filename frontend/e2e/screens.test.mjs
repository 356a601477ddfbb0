// What holds on every screen, in a real browser.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { accessibilityViolations, clippedParts, complaintsOf } from "./support/browser.mjs";
import { someConfiguration } from "./support/configuration.mjs";
import { scripted } from "./support/scripted.mjs";
import { past } from "./support/upstream.mjs";

const screens = {
  "/": "[data-testid=summary]",
  "/?view=graph": "[data-testid=node-redis]",
  "/services/redis": "[data-testid=container-redis]",
  "/logs": "[data-testid=feed][data-status=live]",
  "/logs?from=2026-01-02T00:00:00.000Z": "[data-testid=feed][data-status=live]",
  "/uptime": "[data-testid=uptime-redis]",
  "/uptime?service=redis&window=7d": "h1",
  "/reloads": "h1",
  "/configuration": "h1",
  "/configuration?view=text": "h1",
  "/configuration?tab=revisions": "[data-testid=revisions]",
  "/configuration?tab=secrets": "h1",
  "/setup": "h1",
  "/history": "[data-testid=history]",
  "/activity": "[data-testid=records]",
  "/snapshot": "[data-testid=open-snapshot]",
};

describe("every screen", () => {
  const run = scripted({ loggedIn: true });

  function fill() {
    const at = new Date().toISOString();
    Object.assign(run.said, {
      past: run.said.services.map(({ name }) => past(name)),
      configuration: someConfiguration(),
      events: [{ id: 1, service: "redis", state: "healthy", previous: "starting", at }],
      lines: [{ id: "1", time: at, service: "redis", level: "info", message: "ready" }],
      records: [{ id: 1, at, actor: "ana", action: "logIn", target: "x", outcome: "done" }],
    });
  }

  for (const [path, shown] of Object.entries(screens)) {
    test(`${path}: its policy holds without a word in the console, and its dialogs are accessible`, async () => {
      fill();
      const { page } = run;
      const complaints = complaintsOf(page, run.dashboard.url);
      const answer = await page.request.get(run.dashboard.url + path);
      const policy = answer.headers()["content-security-policy"];
      assert.match(policy, /script-src 'self' 'nonce-[^']+';/);
      await run.show(path);
      await page.waitForSelector(shown);
      for (const colorScheme of ["light", "dark"]) {
        await page.emulateMedia({ colorScheme });
        for (const [key, dialog] of [
          ["Control+k", "palette"],
          ["?", "help"],
        ]) {
          await page.keyboard.press(key);
          await page.waitForSelector(`[data-testid=${dialog}]`);
          assert.deepEqual(await accessibilityViolations(page), [], `${dialog} ${colorScheme}`);
          await page.keyboard.press("Escape");
          await page.waitForSelector(`[data-testid=${dialog}]`, { state: "detached" });
        }
      }
      assert.deepEqual(complaints, []);
    });

    test(`${path}: nothing moves for who wants no motion`, async () => {
      fill();
      const { page } = run;
      await page.emulateMedia({ reducedMotion: "reduce" });
      await run.show(path);
      await page.waitForSelector(shown);
      await page.keyboard.press("?");
      await page.waitForSelector("[data-testid=help]");
      const moving = await page.evaluate(() => {
        const seconds = (times) => Math.max(...times.split(",").map(Number.parseFloat));
        return [...document.querySelectorAll("*")]
          .filter((element) => {
            const style = getComputedStyle(element);
            return (
              Math.max(seconds(style.transitionDuration), seconds(style.animationDuration)) > 0.001
            );
          })
          .map((element) => element.outerHTML.slice(0, 120));
      });
      assert.deepEqual(moving, []);
    });

    test(`${path}: a width of 360 pixels, and a magnification of 200 %`, async () => {
      fill();
      const { page } = run;
      for (const viewport of [
        { width: 360, height: 740 },
        { width: 640, height: 360 },
      ]) {
        await page.setViewportSize(viewport);
        await run.show(path);
        // The graph is a list there.
        await page.waitForSelector(shown, { state: "attached" });
        assert.deepEqual(await clippedParts(page), [], `${viewport.width} px`);
        const wider = await page.evaluate(
          () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
        );
        assert.equal(wider, 0, `${viewport.width} px`);
      }
    });
  }
});
