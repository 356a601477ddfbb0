import type { ServiceOverview } from "./overview";
import type { Change, Pod, Service } from "./schema";
import type { Outage, PastState, Point, UptimeSummary } from "./uptime";

/** The time at which tests happen. */
export const NOW = Date.parse("2026-11-22T21:00:00Z");

/** A service of tests: healthy, but for what the test says. */
export function aService(rest: Partial<Service> = {}): Service {
  return {
    name: "api",
    kind: "Deployment",
    state: "healthy",
    ready: 1,
    desired: 1,
    restarts: 0,
    image: "localhost/zr/api@sha256:c2d9e8134f60c2d9e8134f60",
    build: "8d1f62c07ab34e95",
    startedAt: new Date(NOW - 3_600_000).toISOString(),
    pods: [],
    dependsOn: [],
    dev: false,
    ...rest,
  };
}

/** A pod of tests: it runs, but for what the test says. */
export function aPod(rest: Partial<Pod> = {}): Pod {
  return {
    name: "api-7d9c5-x2x4p",
    phase: "Running",
    ready: true,
    restarts: 0,
    startedAt: new Date(NOW - 3_600_000).toISOString(),
    ...rest,
  };
}

/** What a service of tests uses, and that ada restarted it two minutes ago, but for what the test says. */
export function anOverview(rest: Partial<ServiceOverview> = {}): ServiceOverview {
  return {
    name: "api",
    use: {
      running: 1,
      measured: 1,
      cpuCores: 0.013,
      memoryBytes: 41_000_000,
      memoryBytesLimit: 2 ** 28,
    },
    lastChange: {
      at: new Date(NOW - 120_000).toISOString(),
      what: "restarted",
      by: "ada",
      with: "zr-api",
    },
    ...rest,
  };
}

/** A change of tests: the api got healthy a minute ago, but for what the test says. */
export function aChange(rest: Partial<Change> = {}): Change {
  return {
    id: 1,
    service: "api",
    state: "healthy",
    previous: "starting",
    reason: "",
    message: "",
    build: "",
    at: new Date(NOW - 60_000).toISOString(),
    ...rest,
  };
}

const STEP_MS = 300_000;

/** A curve of tests that ends now, a step for each state; what is unhealthy is so for half of its step. */
export function aCurve(...states: PastState[]): Point[] {
  return states.map((state, i) => ({
    at: new Date(NOW - (states.length - i) * STEP_MS).toISOString(),
    state,
    uptime: { healthy: 1, unhealthy: 0.5, starting: 0.5, stopped: undefined, unknown: undefined }[
      state
    ],
  }));
}

/** The past of a service of tests: always healthy, but for what the test says. */
export function aPast(rest: Partial<UptimeSummary> = {}): UptimeSummary {
  const share = { healthy: 3_600, unhealthy: 0, starting: 0, stopped: 0, unknown: 0, uptime: 1 };
  return {
    service: "api",
    state: "healthy",
    uptime: { hour: share, day: share, week: share },
    latency: { asked: 0, unanswered: 0 },
    points: aCurve("healthy", "healthy"),
    ...rest,
  };
}

/** An outage of tests: the api crashed for a minute, ten minutes ago, but for what the test says. */
export function anOutage(rest: Partial<Outage> = {}): Outage {
  return {
    service: "api",
    from: new Date(NOW - 600_000).toISOString(),
    to: new Date(NOW - 540_000).toISOString(),
    seconds: 60,
    reason: "crash",
    message: "exit code 1",
    end: "healthy",
    ...rest,
  };
}
