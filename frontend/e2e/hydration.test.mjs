// What the server writes is what the browser makes of the same page: at every address,
// whatever the browser's time zone, language and colours, and whichever answer comes first.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { complaintsOf, open, takenOver } from "./support/browser.mjs";
import { hoursAgo, someConfiguration } from "./support/configuration.mjs";
import {
  attachedRun,
  broughtUp,
  delivery,
  refusedSave,
  save,
  takenBack,
} from "./support/run-events.mjs";
import { scripted } from "./support/scripted.mjs";
import { past } from "./support/upstream.mjs";

const range = `from=${hoursAgo(2)}&to=${hoursAgo(0)}`;
const addresses = [
  "/",
  "/?environment=zr-test",
  "/?view=graph",
  "/?view=graph&service=redis",
  "/services/redis",
  "/services/nobody",
  "/logs",
  "/logs?time=relative",
  `/logs?service=api&service=redis&level=info&text=ready&field=a%3Db&${range}&wrap=off`,
  `/logs?regexp=rea.y&${range}&time=utc&line=1`,
  "/uptime",
  "/uptime?window=1h",
  "/uptime?window=7d",
  "/uptime?service=redis",
  "/uptime?service=redis&window=1h",
  "/uptime?service=redis&window=7d",
  "/uptime?service=nobody",
  "/reloads",
  "/reloads?window=1h",
  "/reloads?window=7d&failed=true&service=api",
  "/reloads?event=1",
  "/configuration",
  "/configuration?view=text",
  "/configuration?tab=revisions",
  "/configuration?tab=revisions&revision=12&against=11",
  "/configuration?tab=secrets",
  "/setup",
  "/setup?folder=services%2Fmail",
  "/history",
  "/history?service=redis",
  "/history?cursor=abc",
  "/activity",
  "/activity?actor=ana&action=logIn&target=x&outcome=done",
  "/activity?cursor=abc",
  "/snapshot",
  "/snapshot?for=save",
  "/snapshot/logs",
];

/** What this browser keeps of earlier visits: an editor, notifications, and settings that are not saved. */
const kept = {
  localStorage: { "zr.editor": "zed://file{path}:{line}:{column}", "zr.notifications": "on" },
  sessionStorage: {
    "zr.configuration.draft.": {
      reason: "because",
      base: { etag: '"41"', values: [{ key: "LOG_LEVEL", value: "info" }] },
      content: { kind: "text", text: "LOG_LEVEL: error\n" },
    },
  },
};

describe("what the server writes is what the browser makes of it", () => {
  const run = scripted({ loggedIn: true });

  function fill() {
    const at = hoursAgo(1);
    const { said } = run;
    Object.assign(said, {
      past: said.services.map(({ name }) => past(name)),
      outages: [
        {
          ...{ service: "redis", from: at, to: hoursAgo(0), seconds: 3_600 },
          ...{ reason: "crash", message: "exit code 1", end: "lasting" },
        },
      ],
      configuration: someConfiguration(),
      events: [{ id: 1, service: "redis", state: "healthy", previous: "starting", at }],
      lines: [{ id: "1", time: at, service: "redis", level: "info", message: "ready" }],
      counts: [{ at, level: "info", lines: 1 }],
      records: [{ id: 1, at, actor: "ana", action: "logIn", target: "x", outcome: "done" }],
      attached: [attachedRun({ actions: ["apply", "examine", "propose", "rebuild", "restart"] })],
      runEvents: [save(), takenBack(), refusedSave(), ...broughtUp().toReversed()],
      delivery: delivery(),
      findings: [{ name: "container engine", status: "ok", detail: "docker 29.1 answers" }],
      told: [{ at, warning: true, object: "Pod/redis-0", reason: "BackOff", message: "again" }],
      next: "abc",
    });
  }

  /** Opens an address, and says what differs once the browser has taken over. */
  async function differencesAt(address) {
    const { page } = run;
    const complaints = complaintsOf(page, run.dashboard.url);
    await open(page, run.dashboard.url + address);
    await takenOver(page);
    // What the api refuses, of a service that nobody has, is no difference.
    const differences = complaints.filter((what) => !what.includes("Failed to load resource"));
    return [...differences, ...(await staleAttributes(page))];
  }

  for (const address of addresses) {
    test(address, async () => {
      fill();
      assert.deepEqual(await differencesAt(address), []);
    });

    test(`${address}, by an api that is slow where the page is made, and in a browser that keeps things`, async () => {
      fill();
      const { page, said } = run;
      await page.emulateMedia({ colorScheme: "dark", reducedMotion: "reduce" });
      await page.setViewportSize({ width: 360, height: 740 });
      await page.addInitScript(keep, kept);
      // What is around the screen is taken over, and asks, before the screen is there.
      let release;
      const released = new Promise((resolve) => {
        release = resolve;
      });
      said.role = "viewer";
      said.holds = (path) => /^\/api\/v1\/(session|environments)$/.test(path) || released;
      const answered = page.waitForResponse((answer) => answer.url().endsWith("/api/v1/session"));
      const found = differencesAt(address);
      await (await answered).finished();
      // The next frame has what the answer said.
      await page.evaluate(() => new Promise((drawn) => requestAnimationFrame(drawn)));
      release();
      assert.deepEqual(await found, []);
    });
  }

  test("an attribute that differs is found", async () => {
    await run.show();
    const { page } = run;
    await page.evaluate(() => document.querySelector("main").setAttribute("class", "other"));
    const [difference, ...more] = await staleAttributes(page);
    assert.match(difference, /^MAIN className: other in the page/);
    assert.deepEqual(more, []);
  });
});

/** Runs in the page before its scripts. */
function keep(storages) {
  for (const [storage, values] of Object.entries(storages)) {
    for (const [key, value] of Object.entries(values)) {
      globalThis[storage].setItem(key, typeof value === "string" ? value : JSON.stringify(value));
    }
  }
}

/**
 * Attributes that are others than React takes them to be. It says nothing of them where
 * the server wrote another one, and leaves it as it is.
 */
async function staleAttributes(page) {
  const { looked, stale } = await page.evaluate(() => {
    const names = { className: "class", htmlFor: "for", dateTime: "datetime" };
    const attribute =
      /^(className|htmlFor|dateTime|title|href|src|id|lang|d|x|y|width|height|viewBox|(aria|data)-.*)$/;
    const written = [...document.body.querySelectorAll("*")].flatMap((element) => {
      const known = Object.keys(element).find((key) => key.startsWith("__reactProps$"));
      return Object.entries(known ? element[known] : {})
        .filter(
          ([name, value]) =>
            attribute.test(name) && !/object|function|undefined/.test(typeof value),
        )
        .map(([name, value]) => ({
          what: `${element.tagName} ${name}`,
          has: element.getAttribute(names[name] ?? name),
          value: String(value),
        }));
    });
    return {
      looked: written.length,
      stale: written
        .filter(({ has, value }) => has !== value)
        .map(({ what, has, value }) => `${what}: ${has} in the page, ${value} for React`),
    };
  });
  assert.ok(looked > 20, `${looked} attributes of React`);
  return stale;
}
