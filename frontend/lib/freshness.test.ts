import { expect, test } from "vitest";
import { freshness, STALE_AFTER_MS } from "./freshness";

const now = 1_000_000;

test.each([
  ["no answer yet", undefined, false, true, "down"],
  ["no answer yet, paused", undefined, true, true, "down"],
  ["a fresh answer", now, false, false, "live"],
  ["an answer at the limit", now - STALE_AFTER_MS, false, true, "live"],
  ["an answer beyond it", now - STALE_AFTER_MS - 1, false, true, "stale"],
  ["an old answer of a page that was hidden", 0, false, false, "live"],
  ["an old answer that was asked for no more", 0, true, true, "paused"],
] as const)("%s", (_, updatedAt, paused, failing, expected) => {
  expect(freshness({ updatedAt, now, paused, failing })).toBe(expected);
});
