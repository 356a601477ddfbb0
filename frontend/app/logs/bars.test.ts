import { expect, test } from "vitest";
import { barsOf, rangeOf } from "./bars";

const NOW = Date.parse("2026-01-02T12:00:30Z");
const at = (time: string) => Date.parse(`2026-01-02T${time}Z`);

test("without a time it is the last hour, by whole minutes", () => {
  expect(rangeOf({}, NOW)).toEqual({ from: at("11:00:00"), to: NOW, everySeconds: 60 });
});

test("a long time has bars of several minutes", () => {
  const range = rangeOf({ from: "2026-01-01T12:00:30Z" }, NOW);
  expect(range.everySeconds).toBe(24 * 60);
  expect(barsOf({ counts: [] }, range).length).toBeLessThanOrEqual(61);
});

test("each interval is a bar, with what it has of each level", () => {
  const counts = [
    { at: "2026-01-02T11:58:00Z", level: "error", lines: 2, skipped: false },
    { at: "2026-01-02T11:58:00Z", level: "warning", lines: 1, skipped: false },
    { at: "2026-01-02T11:58:00Z", lines: 4, skipped: false },
    { at: "2026-01-02T12:00:00Z", lines: 9, skipped: true },
    { at: "2026-01-02T13:00:00Z", lines: 1, skipped: false },
  ] as const;
  const bars = barsOf(
    { counts: [...counts] },
    { from: at("11:58:00"), to: at("12:00:30"), everySeconds: 60 },
  );
  expect(
    bars.map(({ lines, errors, warnings, skipped }) => [lines, errors, warnings, skipped]),
  ).toEqual([
    [7, 2, 1, 0],
    [0, 0, 0, 0],
    [0, 0, 0, 9],
  ]);
  expect(bars[0]?.label).toContain("7 lines, 2 errors, 1 warning");
  expect(bars[2]?.label).toContain("9 missing");
});
