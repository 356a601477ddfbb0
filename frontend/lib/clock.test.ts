import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Clock } from "./clock";

const NOW = Date.parse("2026-11-28T14:00:00.700Z");
const MINUTE = 60_000;

beforeEach(() => void vi.useFakeTimers({ now: NOW }));
afterEach(() => void vi.useRealTimers());

/** What an answer says that is written some time after now, by the clock of the browser. */
const date = (ms: number) => new Date(NOW + ms).toUTCString();

test.each([
  ["the same clock", 20, 0],
  ["a second that has begun", -700, 0],
  ["none", Number.NaN, 0],
])("by %s it is the time of the browser", (_, ms, ahead) => {
  const clock = new Clock();
  clock.heard(Number.isNaN(ms) ? null : date(ms), NOW, NOW + 40);
  expect(clock.now()).toBe(NOW + ahead);
});

test.each([10 * MINUTE, -10 * MINUTE])(
  "a server that is %d ms ahead is heard, and told once",
  (ms) => {
    const clock = new Clock();
    const told = vi.fn();
    clock.subscribe(told);
    clock.heard(date(ms), NOW, NOW + 40);
    expect(Math.abs(clock.now() - NOW - ms)).toBeLessThan(1_100);
    expect(clock.byServer(5) - 5).toBe(clock.now() - NOW);
    // The next answers fit, also one that took long.
    clock.heard(date(ms + 20), NOW + 20, NOW + 40);
    clock.heard(date(ms + 20), NOW, NOW + 4_000);
    expect(told).toHaveBeenCalledOnce();
  },
);

test("a clock that is set right is heard", () => {
  const clock = new Clock();
  clock.heard(date(10 * MINUTE), NOW, NOW);
  clock.heard(date(0), NOW, NOW);
  expect(Math.abs(clock.now() - NOW)).toBeLessThan(1_000);
});
