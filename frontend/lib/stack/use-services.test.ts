import { expect, test } from "vitest";
import { aService } from "./fixtures";
import type { Services } from "./schema";
import { withFrame } from "./use-services";

const kubernetes = { status: "ok" as const, latencyMs: 1, reason: "" };
const before: Services = {
  namespace: "zr-test",
  kubernetes,
  services: [aService({ name: "api" }), aService({ name: "redis" }), aService({ name: "mail" })],
};

function after(frame: Partial<Parameters<typeof withFrame>[1]>) {
  return withFrame(before, { kubernetes, changed: [], removed: [], ...frame });
}

test("what changed takes its place, what is new comes last, what was removed goes", () => {
  const redis = aService({ name: "redis", state: "unhealthy" });
  const { services } = after({ changed: [aService({ name: "web" }), redis], removed: ["mail"] });
  expect(services.map(({ name, state }) => `${name} ${state}`)).toEqual([
    "api healthy",
    "redis unhealthy",
    "web healthy",
  ]);
});

test("a frame in which no service changed tells of Kubernetes", () => {
  const down = { status: "down" as const, latencyMs: 3_000, reason: "timeout" };
  expect(after({ kubernetes: down })).toEqual({ ...before, kubernetes: down });
});
