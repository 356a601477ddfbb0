import { expect, test } from "vitest";
import { aCurve } from "./fixtures";
import { percent, stripLabel } from "./uptime-text";

test.each([
  [1, "100 %"],
  [0.99999, "99.99 %"],
  [0.95, "95.00 %"],
  [0.0512, "5.1 %"],
  [0, "0.0 %"],
])("a share of %d is %s", (share, text) => {
  expect(percent(share)).toBe(text);
});

test("a strip is told in words", () => {
  const points = aCurve("healthy", "unhealthy", "unknown", "healthy");
  expect(stripLabel({ service: "api", points }, "24h")).toBe(
    "api in the last 24 h: unhealthy in 1 of 4 steps, not looked at in 1",
  );
  expect(stripLabel({ service: "api", points: aCurve("stopped") }, "1h")).toBe(
    "api in the last 1 h: never unhealthy",
  );
});
