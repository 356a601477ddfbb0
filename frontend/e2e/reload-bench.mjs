// Measures how long it takes from a save of a source file until a real browser
// shows it, under `next dev`.
//
//   node e2e/reload-bench.mjs --target NAME=URL,DIR [--target ...] [--edits N]
//
// URL is the dashboard under `next dev`, DIR the frontend's source that it
// serves: for a pod the folder on the host from which it is fed. With several
// targets the edits alternate between them, and who comes first does too, so
// that all of them meet the same machine: an edit's aftermath takes longer than
// the edit. Without --target, BASE_URL and EDIT_DIR name one. The dashboard must
// reach an api. What was edited is put back at the end, also after Ctrl-C.
//
// Prints one JSON document: per target and kind of edit (client component,
// server component, style sheet) all samples in milliseconds, their median and
// p95, and how many edits never showed or cost the page its state.

import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { launch } from "./support/browser.mjs";
import { Edits, kindNames } from "./support/edits.mjs";
import { WatchedPage } from "./support/watched-page.mjs";

const { values: options } = parseArgs({
  options: {
    target: { type: "string", multiple: true, default: [] },
    /** Of each kind, on each target. */
    edits: { type: "string", default: "30" },
    /** Thrown away: the first of each kind compiles what later ones reuse. */
    warmup: { type: "string", default: "2" },
    /** An edit that does not show in this time is missed, in milliseconds. */
    timeout: { type: "string", default: "15000" },
    /** Between two edits, in milliseconds: so that one is over before the next. */
    rest: { type: "string", default: "500" },
  },
});
const edits = Number(options.edits);
const warmup = Number(options.warmup);
const timeoutMs = Number(options.timeout);
const restMs = Number(options.rest);

function targetOf(text) {
  const [, name, url, dir] = /^([^=]+)=([^,]+),(.+)$/.exec(text) ?? [];
  if (!dir) {
    throw new Error(`--target "${text}" is not NAME=URL,DIR`);
  }
  return { name, url, dir };
}

function targets() {
  if (options.target.length > 0) {
    return options.target.map(targetOf);
  }
  const { BASE_URL: url, EDIT_DIR: dir } = process.env;
  if (!url || !dir) {
    throw new Error(
      "there is nothing to measure: give --target NAME=URL,DIR, or BASE_URL and EDIT_DIR",
    );
  }
  return [{ name: "default", url, dir }];
}

/** The value that the share q of the sorted samples does not exceed. */
function quantile(sorted, q) {
  return sorted[Math.max(0, Math.ceil(q * sorted.length) - 1)] ?? null;
}

function summary({ samples, missed, stateLost }) {
  const sorted = samples.toSorted((a, b) => a - b);
  return { median: quantile(sorted, 0.5), p95: quantile(sorted, 0.95), missed, stateLost, samples };
}

async function prepare(browser, target) {
  return {
    ...target,
    page: await WatchedPage.open(browser, target.url, timeoutMs),
    kinds: kindNames.map((kind) => ({
      kind,
      edits: new Edits(target.dir, kind),
      result: { samples: [], missed: 0, stateLost: 0 },
    })),
  };
}

async function measure({ page, url }, { edits: source, result }, n, counts) {
  await page.watchFor(source.shown(n));
  const began = source.save(n);
  const seen = await page.seen(timeoutMs);
  const lost = await page.stateLost(url);
  if (counts) {
    result.stateLost += lost ? 1 : 0;
    if (seen === null) {
      result.missed++;
    } else {
      result.samples.push(seen - began);
    }
  }
  await sleep(restMs);
}

async function run(prepared) {
  for (let n = 1; n <= warmup + edits; n++) {
    for (const index of kindNames.keys()) {
      for (const target of n % 2 === 0 ? prepared : prepared.toReversed()) {
        await measure(target, target.kinds[index], n, n > warmup);
      }
    }
  }
}

function report(prepared) {
  return {
    edits,
    targets: Object.fromEntries(
      prepared.map(({ name, url, kinds }) => [
        name,
        { url, ...Object.fromEntries(kinds.map(({ kind, result }) => [kind, summary(result)])) },
      ]),
    ),
  };
}

const browser = await launch();
const prepared = [];
const restore = () => {
  for (const { kinds } of prepared) {
    for (const { edits: source } of kinds) {
      source.restore();
    }
  }
};
process.once("SIGINT", () => process.exit(130));
process.once("SIGTERM", () => process.exit(143));
process.once("exit", restore);
try {
  for (const target of targets()) {
    prepared.push(await prepare(browser, target));
  }
  await run(prepared);
  process.stdout.write(`${JSON.stringify(report(prepared), null, 2)}\n`);
} finally {
  await browser.close();
}
