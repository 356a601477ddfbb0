import type { Change, Pod, Service } from "./schema";

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
