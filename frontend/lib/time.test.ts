import { expect, test } from "vitest";
import { ago, latency, span } from "./time";

test.each([
  [-5_000, "0 s"],
  [999, "0 s"],
  [59_999, "59 s"],
  [60_000, "1 min"],
  [3_599_999, "59 min"],
  [3_600_000, "1 h"],
  [3_660_000, "1 h 1 min"],
  [86_400_000, "1 d"],
  [183_600_000, "2 d 3 h"],
])("%d ms are %s", (ms, text) => {
  expect(span(ms)).toBe(text);
});

test("the first second is just now", () => {
  expect(ago(999)).toBe("just now");
  expect(ago(1_000)).toBe("1 s ago");
});

test.each([
  [0.312, "0.3 ms"],
  [9.96, "10.0 ms"],
  [12.8, "13 ms"],
  [1_400, "1.4 s"],
])("a latency of %d ms is %s", (ms, text) => {
  expect(latency(ms)).toBe(text);
});
