import { beforeEach, expect, test } from "vitest";
import { Connection, isLong } from "./connection";
import { STALE_AFTER_MS } from "./freshness";

let now = 0;
let connection: Connection;

beforeEach(() => {
  now = 1_000_000;
  connection = new Connection(() => now);
});

test("an absence begins with the last answer, and ends when all is back", () => {
  connection.found("answers");
  now += 2_000;
  connection.lost("answers");
  connection.lost("lines");
  connection.lost("lines");
  expect(connection.snapshot().away).toEqual({
    sources: ["answers", "lines"],
    since: 1_000_000,
    noticed: 1_002_000,
  });
  now += STALE_AFTER_MS;
  connection.found("answers");
  expect(connection.snapshot().missed).toBeUndefined();
  connection.found("lines");
  expect(connection.snapshot()).toEqual({ missed: { from: 1_000_000, to: now, skipped: 0 } });
  connection.dismiss();
  expect(connection.snapshot()).toEqual({ away: undefined });
});

test("one that is shorter than what makes data stale is none", () => {
  connection.lost("services");
  const { away } = connection.snapshot();
  now += STALE_AFTER_MS - 1;
  expect(away && isLong(away, now)).toBe(false);
  connection.found("services");
  expect(connection.snapshot()).toEqual({ missed: undefined });
});

test("lines that were left out are counted, whatever comes back last", () => {
  connection.skipped(7);
  connection.lost("lines");
  connection.lost("answers");
  now += STALE_AFTER_MS;
  connection.found("lines");
  connection.skipped(40);
  connection.found("answers");
  connection.skipped(2);
  expect(connection.snapshot().missed?.skipped).toBe(42);
});

test("who listens hears of each change until he leaves", () => {
  let heard = 0;
  const leave = connection.subscribe(() => heard++);
  connection.lost("runs");
  connection.lost("runs");
  connection.found("runs");
  leave();
  connection.lost("runs");
  expect(heard).toBe(2);
});
