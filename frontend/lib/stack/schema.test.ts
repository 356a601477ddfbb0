import { expect, test } from "vitest";
import { historySchema, servicesSchema } from "./schema";

/** As the api writes it, with every field. */
const full = {
  namespace: "zr-dev",
  observedAt: "2026-11-22T21:13:54.123456789Z",
  kubernetes: { status: "ok", latencyMs: 2.117 },
  services: [
    {
      name: "redis",
      kind: "StatefulSet",
      state: "unhealthy",
      reason: { code: "crash", message: 'container "redis" ended with exit code 1' },
      ready: 0,
      desired: 1,
      restarts: 4,
      image: "localhost/zr/redis@sha256:0be3",
      build: "8d1f62c07ab34e95",
      startedAt: "2026-11-22T20:00:00Z",
      pods: [{ name: "redis-0", phase: "Running", ready: false, restarts: 4 }],
      measured: { status: "down", latencyMs: 1000.2, reason: "timeout" },
    },
  ],
};

test("a full answer is understood", () => {
  const [service] = servicesSchema.parse(full).services;
  expect(service).toMatchObject({
    name: "redis",
    state: "unhealthy",
    reason: { code: "crash" },
    measured: { status: "down", latencyMs: 1000.2, reason: "timeout" },
  });
  expect(service?.pods).toEqual([{ name: "redis-0", phase: "Running", ready: false, restarts: 4 }]);
});

test("a service that Kubernetes was not asked about has only what was measured", () => {
  const parsed = servicesSchema.parse({
    ...full,
    kubernetes: { status: "down", latencyMs: 3000, reason: "timeout" },
    services: [{ name: "api", state: "healthy", ready: 0, desired: 0, restarts: 0 }],
  });
  expect(parsed.services[0]).toEqual({
    name: "api",
    kind: "",
    state: "healthy",
    ready: 0,
    desired: 0,
    restarts: 0,
    image: "",
    build: "",
    pods: [],
    dependsOn: [],
    dev: false,
  });
});

test.each([
  ["an unknown state", { state: "confused" }],
  ["no name", { name: "" }],
  ["a negative count", { ready: -1 }],
  ["a time that is none", { startedAt: "yesterday" }],
  ["a reason without a message", { reason: { code: "crash" } }],
])("%s is refused", (_, change) => {
  const services = [{ ...full.services[0], ...change }];
  expect(servicesSchema.safeParse({ ...full, services }).success).toBe(false);
});

test("a change may be of a service that is gone, or that was never seen before", () => {
  const at = "2026-11-22T20:00:00.5+01:00";
  const { events } = historySchema.parse({
    events: [
      { id: 2, service: "old", state: "removed", previous: "healthy", at },
      { id: 1, service: "old", state: "healthy", build: "8d1f62c07ab34e95", at },
    ],
  });
  expect(events.map(({ state, previous }) => [state, previous])).toEqual([
    ["removed", "healthy"],
    ["healthy", undefined],
  ]);
});
