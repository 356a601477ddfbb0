// Measures how soon the dashboard of a stack that runs paints, in a real browser.
//
//   BASE_URL       where it is, for example http://localhost:3000
//   LOGIN_LINK     what `zr dashboard` prints
//   WRITE_COMMAND  writes lines "sent at MS", with the milliseconds since the epoch, to the
//                  stdout of a container of the stack, and ends (a shell command)
//   KUBECTL        kubectl on its cluster
//
// Prints one JSON document, in milliseconds.

import { exec, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { launch, logIn, open, takenOver } from "./support/browser.mjs";
import { create, kubectl } from "./support/commands.mjs";
import { installAges, installSayings } from "./support/painted.mjs";

const run = promisify(exec);

const { BASE_URL, KUBECTL, LOGIN_LINK, WRITE_COMMAND } = process.env;
const LOADS = 20;
const CHANGES = 20;
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

/** A Deployment of the stack that is scaled and nobody needs, of the image that the frontend has. */
const SCALED = "scaled";

async function makeScaled() {
  const frontend = JSON.parse(
    await kubectl("-n", "zr-dev", "get", "deployment", "frontend", "-o", "json"),
  );
  const { image, securityContext } = frontend.spec.template.spec.containers[0];
  const labels = { "app.kubernetes.io/name": SCALED };
  const command = ["node", "-e", "process.on('SIGTERM', process.exit); setInterval(() => {}, 1e9)"];
  await create({
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name: SCALED, namespace: "zr-dev" },
    spec: {
      replicas: 0,
      selector: { matchLabels: labels },
      template: {
        metadata: { labels },
        spec: {
          securityContext: frontend.spec.template.spec.securityContext,
          containers: [{ name: SCALED, image, securityContext, command }],
        },
      },
    },
  });
}

/** Watches a Deployment as any client of the API server does: how many pods it is to have, and when that was told. */
function watchScaled() {
  const [program, ...first] = KUBECTL.split(" ");
  const path = `/apis/apps/v1/namespaces/zr-dev/deployments?watch=1&fieldSelector=metadata.name%3D${SCALED}`;
  const watch = spawn(program, [...first, "get", "--raw", path]);
  const told = [];
  createInterface(watch.stdout).on("line", (line) => {
    const at = Date.now();
    const { replicas } = JSON.parse(line).object.spec;
    if (replicas !== told.at(-1)?.replicas) {
      told.push({ replicas, at });
    }
  });
  return { told, stop: () => watch.kill() };
}

/** Scales a Deployment again and again: from the event of the API server until the page shows the number. */
async function changesPainted(context) {
  await makeScaled();
  const page = await context.newPage();
  await open(page, BASE_URL);
  await takenOver(page);
  const row = `[data-testid=service-${SCALED}]`;
  await page.waitForSelector(row);
  await page.evaluate(installSayings, `${row} td:nth-of-type(3)`);
  const { told, stop } = watchScaled();
  try {
    for (let i = 1; i <= CHANGES; i++) {
      const replicas = i % 2;
      await kubectl("-n", "zr-dev", "scale", `deployment/${SCALED}`, `--replicas=${replicas}`);
      await page.locator(row, { hasText: `${replicas}/${replicas}` }).waitFor();
    }
  } finally {
    stop();
    await kubectl("-n", "zr-dev", "delete", "deployment", SCALED);
  }
  const sayings = await page.evaluate(() => globalThis.sayings);
  // The first is what it was when it was made.
  return told.slice(1).map(({ replicas, at }, i) => {
    const before = told[i].at;
    const shown = sayings.find((each) => each.at > before && each.text.endsWith(`/${replicas}`));
    return shown.at - at;
  });
}

const browser = await launch();
try {
  const context = await browser.newContext();
  await logIn(context, LOGIN_LINK, TIMEOUT_MS);
  const overview = await overviewPainted(browser, await context.storageState());
  const changes = await changesPainted(context);
  const lines = await linesPainted(context);
  process.stdout.write(`${JSON.stringify({ overview, changes, lines })}\n`);
} finally {
  await browser.close();
}
