import { expect, test } from "vitest";
import { changeText } from "./change-text";
import { aChange, aService } from "./fixtures";
import { shortImage } from "./image-name";
import { reasonText } from "./reason-text";
import type { State } from "./schema";
import { count, summarize } from "./summary";

function stack(...all: State[]) {
  return all.map((state, i) => aService({ name: `s${i}`, state }));
}

test.each([
  [[], "pending", "No services yet"],
  [stack("healthy"), "healthy", "s0 is healthy"],
  [stack("healthy", "healthy"), "healthy", "All 2 services are healthy"],
  [stack("healthy", "unhealthy"), "unhealthy", "s1 is unhealthy"],
  [stack("starting", "unhealthy", "unhealthy"), "unhealthy", "2 of 3 services are unhealthy"],
  [stack("pending", "starting"), "starting", "s1 is starting"],
  [stack("pending", "healthy"), "pending", "s0 is pending"],
] as const)("the worst state of %# is the summary", (services, state, text) => {
  expect(summarize([...services])).toEqual({ state, text });
});

test("counts leave out what there is none of", () => {
  expect(count(stack("pending", "healthy", "healthy"))).toEqual([
    ["healthy", 2],
    ["pending", 1],
  ]);
});

test.each([
  [{ previous: undefined }, "first seen healthy"],
  [{}, "starting → healthy"],
  [{ state: "removed", previous: "healthy" }, "healthy → removed"],
  [{ previous: "healthy", build: "41b7d93e5f0286ac" }, "now runs 41b7d93e"],
  [{ state: "unhealthy", previous: "unhealthy" }, "still unhealthy"],
] as const)("change %#", (change, text) => {
  expect(changeText(aChange(change))).toBe(text);
});

test.each([
  ["localhost/zr/api@sha256:c2d9e8134f60c2d9e8134f60", "api@c2d9e8134f60"],
  ["registry.example:5000/team/api:1.2", "api:1.2"],
  ["redis", "redis"],
])("image %s is %s", (reference, short) => {
  expect(shortImage(reference)).toBe(short);
});

test("codes become words", () => {
  expect(reasonText("image_pull")).toBe("Image pull");
  expect(reasonText("")).toBe("");
});
