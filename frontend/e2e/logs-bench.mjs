// Measures how the dashboard bears many lines, and how soon it paints, in a
// real browser over an api of this process, as `next build` made it:
//
//   npm run build && npm run prestart && node e2e/logs-bench.mjs [--seconds 60] [--lines 1000000]
//
// Prints one JSON document, in milliseconds, MB and lines.

import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { launch, open, takenOver } from "./support/browser.mjs";
import { Million } from "./support/million.mjs";
import { startNext } from "./support/next-server.mjs";
import { installAges, quantile } from "./support/painted.mjs";
import { healthyStack, SESSION, startUpstream } from "./support/upstream.mjs";

const { values } = parseArgs({
  options: {
    seconds: { type: "string", default: "60" },
    lines: { type: "string", default: "1000000" },
  },
});
const SECONDS = Number(values.seconds);
const RETAINED = Number(values.lines);
const FLOOD = { perSecond: 5_000, everyMs: 20 };
const CALM = { perSecond: 100, everyMs: 10, seconds: 10 };
const CHANGES = 20;

function rounded(value) {
  return value === undefined ? null : Math.round(value * 10) / 10;
}

/** Runs in the page: notes each frame, each long task, and how long lines were lacking in the list. */
function installMeter() {
  const meter = {
    frames: [],
    tasks: [],
    blanks: [],
    blankSince: undefined,
    last: performance.now(),
  };
  globalThis.meter = meter;
  new PerformanceObserver((list) => {
    meter.tasks.push(...list.getEntries().map(({ duration }) => duration));
  }).observe({ type: "longtask" });
  const blank = () => {
    const box = document.querySelector("[data-testid=lines]");
    const { top, bottom } = box.getBoundingClientRect();
    let covered = 0;
    for (const row of box.querySelectorAll("li")) {
      const place = row.getBoundingClientRect();
      covered += Math.max(0, Math.min(place.bottom, bottom) - Math.max(place.top, top));
    }
    return covered < 0.9 * (bottom - top);
  };
  const frame = (now) => {
    meter.frames.push(now - meter.last);
    meter.last = now;
    if (blank()) {
      meter.blankSince ??= now;
    } else if (meter.blankSince !== undefined) {
      meter.blanks.push(now - meter.blankSince);
      meter.blankSince = undefined;
    }
    requestAnimationFrame(frame);
  };
  requestAnimationFrame(frame);
}

async function heap(page) {
  const session = await page.context().newCDPSession(page);
  await session.send("HeapProfiler.collectGarbage");
  const { usedSize } = await session.send("Runtime.getHeapUsage");
  await session.detach();
  return usedSize / 1e6;
}

/** Writes lines at a rate for a time, and catches up where a timer came late. */
async function write(upstream, { perSecond, everyMs, seconds }, make) {
  const began = Date.now();
  let sent = 0;
  while (sent < perSecond * seconds) {
    const due = Math.min(
      perSecond * seconds,
      Math.floor(((Date.now() - began) / 1_000) * perSecond),
    );
    while (sent < due) {
      const n = Math.min(100, due - sent);
      upstream.write(make(n));
      sent += n;
    }
    await sleep(everyMs);
  }
  return sent;
}

async function flood({ page, upstream, million }, seconds) {
  const received = () =>
    page.evaluate(() => Number(document.querySelector("[data-testid=feed]").dataset.received));
  const before = await received();
  await page.evaluate(() => Object.assign(meter, { frames: [], tasks: [], blanks: [] }));
  const sent = await write(upstream, { ...FLOOD, seconds }, (n) => million.write(n));
  await page.getByText(`request ${million.count} was answered`).waitFor();
  const { frames, tasks } = await page.evaluate(() => meter);
  return {
    seconds,
    sent,
    shownAndMarked: (await received()) - before,
    frameP50: rounded(quantile(frames, 0.5)),
    frameP95: rounded(quantile(frames, 0.95)),
    longestTask: rounded(Math.max(0, ...tasks)),
    // Collected after the frames were noted: that is a long task itself.
    heapMB: rounded(await heap(page)),
  };
}

/** The ways in which somebody goes back fast; each takes a fraction of a second. */
const ways = {
  async wheel(page) {
    for (let i = 0; i < 10; i++) {
      await page.mouse.wheel(0, -20_000);
      await sleep(16);
    }
  },
  async pageUp(page) {
    for (let i = 0; i < 20; i++) {
      await page.keyboard.press("PageUp");
    }
  },
  /** The browser without a window shows no scroll bar to be taken hold of: its place is moved. */
  async scrollBar(page) {
    await page.evaluate(async () => {
      const box = document.querySelector("[data-testid=lines]");
      for (let left = 15; left > 0; left--) {
        box.scrollTop -= box.scrollTop / left;
        await new Promise(requestAnimationFrame);
      }
    });
  },
};

/** Goes back to the first of all lines, in each way in turn. */
async function scrollThrough({ page }) {
  await page.locator("[data-testid=lines]").hover();
  await page.locator("[data-testid=lines]").focus();
  await page.evaluate(() => Object.assign(meter, { frames: [], tasks: [], blanks: [] }));
  const number = () =>
    page.evaluate(() =>
      Number(/request (\d+)/.exec(document.querySelector("[data-testid=line]").textContent)?.[1]),
    );
  const first = await number();
  const began = Date.now();
  for (let at = first; at > 1; at = await number()) {
    for (const way of Object.values(ways)) {
      await way(page);
    }
  }
  const seconds = (Date.now() - began) / 1_000;
  const { blanks, tasks, frames } = await page.evaluate(() => meter);
  return {
    lines: first,
    seconds: rounded(seconds),
    longestBlank: rounded(Math.max(0, ...blanks)),
    frameP95: rounded(quantile(frames, 0.95)),
    longestTask: rounded(Math.max(0, ...tasks)),
    heapMB: rounded(await heap(page)),
  };
}

async function linesPainted({ page, upstream, million }) {
  await page.evaluate(installAges, "[data-testid=line]");
  await write(upstream, CALM, (n) =>
    million.write(n).map((line) => ({ ...line, message: `sent at ${Date.now()} ${line.id}` })),
  );
  await sleep(1_000);
  const ages = await page.evaluate(() => globalThis.ages);
  return { n: ages.length, median: quantile(ages, 0.5), p95: quantile(ages, 0.95) };
}

async function changesPainted({ page, upstream, said }) {
  await upstream.watched("/api/v1/live/services");
  await page.evaluate(installAges, "[data-testid=service-redis]");
  for (let i = 0; i < CHANGES; i++) {
    const reason = { code: "crash", message: `sent at ${Date.now()}` };
    const [, redis] = healthyStack();
    const change = { ...redis, state: "unhealthy", reason };
    said.services = healthyStack().map((each) => (each.name === "redis" ? change : each));
    upstream.tell(change);
    await sleep(500);
  }
  const ages = await page.evaluate(() => globalThis.ages);
  return { n: ages.length, median: quantile(ages, 0.5), max: Math.max(...ages) };
}

const million = new Million(RETAINED);
const said = { services: healthyStack(), search: (query) => million.search(query) };
const upstream = await startUpstream(said);
const dashboard = await startNext({ env: { API_URL: upstream.url } });
const browser = await launch();
try {
  const context = await browser.newContext();
  await context.addCookies([{ name: "zr_session", value: SESSION, url: dashboard.url }]);
  const page = await context.newPage();
  const on = { page, upstream, million, said };
  await open(page, dashboard.url);
  await takenOver(page);
  const changes = await changesPainted(on);
  await open(page, `${dashboard.url}/logs`);
  await page.waitForSelector("[data-testid=feed][data-status=live]");
  const lines = await linesPainted(on);
  await page.evaluate(installMeter);
  const following = [await flood(on, SECONDS), await flood(on, SECONDS / 2)];
  const scrolling = await scrollThrough(on);
  process.stdout.write(
    `${JSON.stringify({ changePainted: changes, linePainted: lines, following, scrolling }, null, 2)}\n`,
  );
} finally {
  await browser.close();
  await dashboard.stop();
  await upstream.stop();
}
