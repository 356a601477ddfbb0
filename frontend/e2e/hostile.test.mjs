// What others wrote, as bad as it can be, on every screen but that of the logs, in a
// real browser: it does nothing, and the page goes on.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { complaintsOf } from "./support/browser.mjs";
import { someConfiguration } from "./support/configuration.mjs";
import { processorOf } from "./support/processor.mjs";
import { attachedRun, refusedSave, runEvent, takenBack } from "./support/run-events.mjs";
import { scripted } from "./support/scripted.mjs";
import { details, healthyStack, past } from "./support/upstream.mjs";

/** Markup, a link by OSC 8, a colour, and changes of direction, one of them to the end of all text. */
const HOSTILE =
  '<script>globalThis.ran=1</script><img src=x onerror="globalThis.ran=1">' +
  "\u001b]8;;http://evil.example\u0007click\u001b[31m\u202eexe.txt\u2066";
const LONG = `${HOSTILE}${"long ".repeat(200_000)}`;
const MANY = JSON.stringify(
  Object.fromEntries(Array.from({ length: 10_000 }, (_, i) => [`k${i}`, `${HOSTILE}${i}`])),
);

/** The longest text of settings that the api takes, in bytes, less what the others take. */
const MOST_SETTINGS = 50_000;

/** What must not be on a page as it is: controls, and those that change the direction of what follows. */
const CONTROLS =
  "[\\u0000-\\u0008\\u000b-\\u001f\\u007f-\\u009f\\u200e\\u200f\\u202a-\\u202e\\u2066-\\u2069]";

/**
 * Longer than any task of a page may take, in milliseconds, on a machine with much else
 * to do: what is shown of a megabyte takes a small part of it, what grows with the square more.
 */
const MOST_MS = 3_000;

/** What each screen shows of it, and where: on some once it is opened. */
const screens = {
  "/": ["[data-testid=service-redis] [data-testid=reason]", "[data-testid=dev-line]"],
  "/?view=graph": ["[data-testid=node-redis]", "[data-testid=history]"],
  "/services/redis": [
    "[data-testid=detail] [data-testid=reason]",
    "[data-testid=events]",
    "[data-testid=revisions]",
    "[data-testid=history]",
  ],
  "/uptime": ["[data-testid=outages]"],
  "/reloads": ["[data-testid=problems]", "[data-testid=save]", "[data-testid=attached]"],
  "/configuration": ["[data-testid=source]"],
  "/configuration?view=text": [".cm-content"],
  "/configuration?tab=revisions&revision=11": ["[data-testid=revisions]", "[data-testid=changes]"],
  "/configuration?tab=secrets": ["[data-testid=secret-secrets]"],
  "/setup": ["[data-testid=checklist]"],
  "/history": ["[data-testid=history]"],
  "/activity": ["[data-testid=records]"],
};

describe("what others wrote", () => {
  const run = scripted({ loggedIn: true });

  function fill(text) {
    const at = new Date().toISOString();
    const { said } = run;
    const change = { service: "redis", state: "unhealthy", previous: "healthy", at };
    const places = [{ file: text, line: 1, column: 1, message: text }];
    const refused = refusedSave();
    Object.assign(refused.data, { error: text, paths: [text] });
    refused.places = places;
    const back = takenBack();
    Object.assign(back.data, { error: text });
    const configuration = someConfiguration();
    configuration.settings = { ...configuration.settings, GREETING: text.slice(0, MOST_SETTINGS) };
    for (const revision of configuration.revisions) {
      Object.assign(revision, { reason: text, author: text });
    }
    configuration.revisions.at(-1).settings = { GREETING: "before" };
    configuration.secrets[0].source = text;
    configuration.secrets[0].keys[0].usedBy = [`Deployment/${text}`];
    const made = details("redis");
    made.containers[0].env.push({ name: text, value: text, from: text, key: text });
    made.pods[0].answer.text = text;
    const outage = { from: at, to: at, seconds: 42, reason: "crash", message: text };
    Object.assign(said, {
      services: healthyStack().map((one) =>
        one.name === "redis"
          ? { ...one, state: "unhealthy", ready: 0, reason: { code: "crash", message: text } }
          : one,
      ),
      past: healthyStack().map(({ name }) => past(name)),
      outages: [{ service: "redis", ...outage, end: "lasting" }],
      events: [{ id: 1, ...change, message: text, build: text }],
      told: [{ at, warning: true, object: text, reason: text, message: text }],
      revisions: [
        { revision: 2, current: false, images: [text], createdAt: at, cause: text },
        { revision: 3, current: true, images: [text], createdAt: at },
      ],
      details: made,
      records: [
        { id: 1, at, actor: text, action: "logIn", target: text, outcome: "refused", detail: text },
      ],
      attached: [
        attachedRun({ user: text, machine: text, folder: text, actions: ["examine", "propose"] }),
      ],
      findings: [{ name: text, status: "fail", detail: text, hint: text, command: text }],
      runEvents: [
        refused,
        runEvent("problem", { source: "api", text }, { service: "api", places }),
        back,
      ],
      configuration,
    });
  }

  /** Shows every screen, and says what is wrong with what it makes of the text. */
  async function showAll(text, seen) {
    fill(text);
    const { page } = run;
    const complaints = complaintsOf(page, run.dashboard.url);
    const processor = await processorOf(page);
    const faults = [];
    for (const [path, parts] of Object.entries(screens)) {
      await run.show(path);
      for (const part of parts) {
        await page.locator(part).first().waitFor();
      }
      for (const summary of await page.locator("main summary").all()) {
        await summary.click();
      }
      if (seen[path]) {
        await page.getByText(seen[path]).first().waitFor();
      }
      const found = await page.evaluate((controls) => {
        const raw = new RegExp(controls);
        const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_ELEMENT);
        const bad = [];
        for (let at = walker.nextNode(); at; at = walker.nextNode()) {
          // A field has what is in it: who edits a value needs that.
          if (at.closest("script, textarea")) {
            continue;
          }
          for (const { name, value } of at.attributes) {
            if (name !== "value" && raw.test(value)) {
              bad.push(`${at.tagName} ${name}`);
            }
          }
          for (const child of at.childNodes) {
            if (child.nodeType === Node.TEXT_NODE && raw.test(child.data)) {
              bad.push(`${at.tagName} ${child.data.slice(0, 120)}`);
            }
          }
        }
        return { bad, ran: globalThis.ran, title: document.title };
      }, CONTROLS);
      faults.push(...found.bad.map((what) => `${path}: ${what}`));
      if (found.ran || new RegExp(CONTROLS).test(found.title)) {
        faults.push(`${path}: a script ran, or its title is ${found.title}`);
      }
      const took = await processor();
      if (took > MOST_MS) {
        faults.push(`${path}: it took ${took} ms of the processor`);
      }
    }
    assert.deepEqual(faults, []);
    assert.deepEqual(complaints, []);
  }

  test("markup, escapes and changes of direction do nothing on any screen", async () => {
    await showAll(HOSTILE, {
      "/": "⟨U+202E⟩exe.txt",
      "/services/redis": "␛]8;;http://evil.example␇click",
      "/reloads": "⟨U+202E⟩exe.txt",
      "/configuration?tab=revisions&revision=11": "⟨U+202E⟩exe.txt",
      "/setup": "⟨U+202E⟩exe.txt",
      "/activity": "⟨U+202E⟩exe.txt",
    });
  });

  test("a megabyte in every place is shown without a stall", async () => {
    await showAll(LONG, { "/": "⟨U+202E⟩exe.txt" });
  });

  test("an object of 10,000 fields in every place is shown without a stall", async () => {
    await showAll(MANY, { "/": "⟨U+202E⟩exe.txt" });
  });
});
