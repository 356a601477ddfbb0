// Makes a picture of each screen, light and dark, in docs/screens: of the dashboard
// as it is built, over an api in which enough has happened.

import { mkdir } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { launch, open, takenOver } from "./support/browser.mjs";
import { someConfiguration } from "./support/configuration.mjs";
import { startNext } from "./support/next-server.mjs";
import {
  attachedRun,
  broughtUp,
  delivery,
  refusedSave,
  save,
  takenBack,
} from "./support/run-events.mjs";
import { healthyStack, past, SESSION, startUpstream } from "./support/upstream.mjs";

const folder = fileURLToPath(new URL("../../docs/screens", import.meta.url));

/** The screens by the names of their pictures: where each is, and what it has once it is drawn. */
const screens = {
  services: { path: "/", shown: "[data-testid=history]" },
  graph: { path: "/?view=graph", shown: "[data-testid=node-redis]" },
  service: { path: "/services/redis", shown: "[data-testid=container-redis]" },
  logs: { path: "/logs", shown: "[data-testid=line]" },
  health: { path: "/uptime", shown: "[data-testid=uptime-redis]" },
  reloads: { path: "/reloads", shown: "text=cmd/api/main.go" },
  configuration: { path: "/configuration", shown: "text=LOG_LEVEL" },
  setup: { path: "/setup", shown: "[data-testid=checklist]" },
  history: { path: "/history", shown: "[data-testid=history]" },
  activity: { path: "/activity", shown: "[data-testid=records]" },
};

const MINUTE = 60_000;
const ago = (ms) => new Date(Date.now() - ms).toISOString();

/** What the api says: redis has crashed, and ana works on the api meanwhile. */
function story() {
  const reason = { code: "crash", message: 'container "redis" ended with exit code 1' };
  const needs = { api: ["postgres", "redis"], frontend: ["api"] };
  const services = healthyStack().map((each) => ({ ...each, dependsOn: needs[each.name] ?? [] }));
  Object.assign(
    services.find(({ name }) => name === "redis"),
    {
      state: "unhealthy",
      ready: 0,
      restarts: 4,
      reason,
      measured: { status: "down", latencyMs: 3_000, reason: "timeout" },
      pods: [{ name: "redis-0", phase: "Running", ready: false, restarts: 4, reason }],
    },
  );
  return {
    services,
    past: services.map(({ name, state }) => pastUntil(name, state)),
    outages: [
      {
        service: "redis",
        from: ago(4 * MINUTE),
        to: ago(0),
        seconds: 240,
        reason: reason.code,
        message: reason.message,
        end: "lasting",
      },
    ],
    events: [
      change(3, "redis", "unhealthy", "healthy", 4, { message: reason.message }),
      change(2, "api", "healthy", "healthy", 12, { build: "8d1f62c07ab34e95" }),
      change(1, "frontend", "healthy", "starting", 31),
    ],
    told: [
      {
        at: ago(MINUTE),
        warning: true,
        object: "Pod/redis-0",
        reason: "BackOff",
        message: "restarting failed container",
      },
    ],
    lines: lines(),
    counts: Array.from({ length: 40 }, (_, i) => ({
      at: ago((40 - i) * MINUTE),
      level: i > 35 ? "error" : "info",
      lines: 20 + ((i * 17) % 31),
    })),
    configuration: someConfiguration(),
    attached: [attachedRun({ actions: ["apply", "examine", "propose", "rebuild", "restart"] })],
    runEvents: [save(), takenBack(), save(), refusedSave(), ...broughtUp().toReversed()],
    delivery: delivery(),
    findings: [
      { name: "container engine", status: "ok", detail: "docker 29.1 answers" },
      { name: "port 3000", status: "fail", detail: "it is taken", command: "zr doctor --fix" },
      { name: "images", status: "ok", detail: "12 in the store, 1.4 GiB" },
      { name: "clock", status: "warn", detail: "it is 2 s behind", hint: "set it by the network" },
    ],
    records: [
      record(3, "restart", "redis", "done", 3),
      record(2, "scale", "postgres", "refused", 9, { detail: "api depends on it" }),
      record(1, "logIn", "operator", "done", 40),
    ],
  };
}

/** The past of a service whose last step is that of its state now. */
function pastUntil(name, state) {
  const { points, ...rest } = past(name);
  const last = { ...points.at(-1), ...(state === "unhealthy" && { state, uptime: 0.2 }) };
  return { ...rest, state, points: [...points.slice(0, -1), last] };
}

function change(id, service, state, previous, minutes, rest = {}) {
  return { id, service, state, previous, at: ago(minutes * MINUTE), ...rest };
}

function record(id, action, target, outcome, minutes, rest = {}) {
  return { id, at: ago(minutes * MINUTE), actor: "ana", action, target, outcome, ...rest };
}

/** A minute of the logs, the last line now. */
function lines() {
  const said = [
    ["api", "info", "GET /api/v1/services 200 in 1.2 ms"],
    ["frontend", "info", "rendered / in 9 ms"],
    ["redis", "warning", "Memory overcommit must be enabled"],
    ["api", "error", "asking redis: connection refused"],
    ["postgres", undefined, "checkpoint complete: wrote 41 buffers"],
    ["redis", "error", "Fatal: out of memory"],
  ];
  return Array.from({ length: 30 }, (_, i) => {
    const [service, level, message] = said[i % said.length];
    return { id: String(i + 1), time: ago((30 - i) * 2_000), service, level, message };
  });
}

async function take(browser, url, colorScheme) {
  const context = await browser.newContext({
    colorScheme,
    reducedMotion: "reduce",
    viewport: { width: 1280, height: 800 },
  });
  await context.addCookies([{ name: "zr_session", value: SESSION, url }]);
  const page = await context.newPage();
  for (const [name, { path, shown }] of Object.entries(screens)) {
    await open(page, url + path);
    await takenOver(page);
    await page.waitForSelector(shown);
    await page.waitForLoadState("networkidle");
    await page.screenshot({ path: `${folder}/${name}-${colorScheme}.png`, animations: "disabled" });
  }
  await context.close();
}

const upstream = await startUpstream(story());
const dashboard = await startNext({ env: { API_URL: upstream.url } });
const browser = await launch();
try {
  await mkdir(folder, { recursive: true });
  await take(browser, dashboard.url, "light");
  await take(browser, dashboard.url, "dark");
} finally {
  await browser.close();
  await dashboard.stop();
  await upstream.stop();
}
