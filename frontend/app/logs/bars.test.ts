import { expect, test, vi } from "vitest";
import { barsOf, rangeOf } from "./bars";

// The zone of those who look, which bars take when they are loaded.
vi.hoisted(() => vi.stubEnv("TZ", "Asia/Kathmandu"));

const NOW = Date.parse("2026-01-02T12:00:30Z");
const at = (time: string) => Date.parse(`2026-01-02T${time}Z`);

test("without a time it is the last hour, by whole minutes", () => {
  expect(rangeOf({}, NOW)).toEqual({ from: at("11:00:00"), to: NOW, everySeconds: 60 });
});

test.each([
  ["2026-01-01T12:00:30Z", "2026-01-01T12:00:00.000Z", 24 * 60],
  ["2025-12-20T00:00:00Z", "2025-12-19T19:45:00.000Z", 325 * 60],
  // The api counts by a day at most: what is earlier than its bars has none.
  ["2020-01-02T00:00:00Z", "2025-11-03T00:00:00.000Z", 86_400],
])("a time since %s has bars of several minutes", (from, first, everySeconds) => {
  const range = rangeOf({ from }, NOW);
  expect(range && new Date(range.from).toISOString()).toBe(first);
  expect(range?.everySeconds).toBe(everySeconds);
  const bars = range ? barsOf({ counts: [] }, range) : [];
  expect(bars.length).toBeLessThanOrEqual(61);
  expect(bars.at(-1)?.to).toBeGreaterThanOrEqual(NOW);
});

test("a time that ends before it begins has no bars", () => {
  expect(rangeOf({ from: "2026-01-02T12:00:31Z" }, NOW)).toBeUndefined();
  expect(
    rangeOf({ from: "2026-01-02T11:00:00Z", to: "2026-01-02T10:00:00Z" }, NOW),
  ).toBeUndefined();
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

test.each([
  ["local", 60, "17:45–17:46: 0 lines"],
  ["relative", 60, "17:45–17:46: 0 lines"],
  ["utc", 60, "12:00–12:01: 0 lines"],
  ["utc", 1_440, "Fri 12:00–12:24: 0 lines"],
] as const)("by the clock %s bars over %i minutes begin %s", (clock, minutes, label) => {
  const from = at("12:00:00");
  const range = rangeOf({ from: new Date(from).toISOString() }, from + minutes * 60_000);
  expect(range && barsOf({ counts: [] }, range, clock)[0]?.label).toBe(label);
});
