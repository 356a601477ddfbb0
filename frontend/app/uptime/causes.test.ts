import { expect, test } from "vitest";
import { anOutage, aService, NOW } from "@/lib/stack/fixtures";
import { awayMeanwhile, neededBy, needsOf } from "./causes";

const services = [
  aService({ name: "frontend", dependsOn: ["api"] }),
  aService({ name: "api", dependsOn: ["postgres", "redis"] }),
  aService({ name: "postgres" }),
  aService({ name: "redis" }),
];

test("needs reach through others, and back", () => {
  expect([...needsOf("frontend", services)].sort()).toEqual(["api", "postgres", "redis"]);
  expect(neededBy("redis", services)).toEqual(["frontend", "api"]);
  expect(neededBy("frontend", services)).toEqual([]);
});

test("a circle of needs ends", () => {
  const circle = [
    aService({ name: "a", dependsOn: ["b"] }),
    aService({ name: "b", dependsOn: ["a"] }),
  ];
  expect([...needsOf("a", circle)]).toEqual(["b"]);
});

const at = (seconds: number) => new Date(NOW + seconds * 1_000).toISOString();

test.each([
  ["before it and still", -60, 60, ["redis"]],
  ["seen a little later", 10, 60, ["redis"]],
  ["over long before", -120, -60, []],
  ["begun long after", 60, 120, []],
])("what a service needs was away: %s", (_, from, to, expected) => {
  const outage = anOutage({ service: "frontend", from: at(0), to: at(90) });
  const others = [
    anOutage({ service: "redis", from: at(from), to: at(to) }),
    anOutage({ service: "other", from: at(0), to: at(90) }),
    outage,
  ];
  expect(awayMeanwhile(outage, others, services)).toEqual(expected);
});
