import { QueryClient } from "@tanstack/react-query";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { missedQuery } from "./missed";

const NOW = Date.parse("2026-11-27T12:00:00Z");
const MINUTE = 60_000;

/** How far the clock of the api is before that of the browser, and how long it takes to say so, in milliseconds. */
let ahead: number;
let takes: number;

beforeEach(() => {
  takes = 0;
  vi.useFakeTimers({ now: NOW, toFake: ["Date"] });
  /** By the clock of the api. */
  const at = (ago: number) => new Date(Date.now() + ahead - ago).toISOString();
  const change = (id: number, ago: number) => ({
    id,
    service: "api",
    state: "healthy",
    at: at(ago),
  });
  vi.stubGlobal("fetch", async (path: string) => {
    if (path.startsWith("/api/v1/services")) {
      const observedAt = at(0);
      vi.setSystemTime(Date.now() + takes);
      return Response.json({ observedAt });
    }
    return Response.json({
      events: [change(4, 10), change(3, 40_000), change(2, 59_000), change(1, 61_000)],
    });
  });
});

afterEach(() => {
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

test.each([-5 * MINUTE, 0, 5 * MINUTE])(
  "what happened is found by the clock of the api, which is %i ms ahead",
  async (by) => {
    ahead = by;
    const absence = { from: NOW - MINUTE, to: NOW - 1_000 };
    const { changes, during } = await new QueryClient().fetchQuery(
      missedQuery(undefined, absence, false),
    );
    expect(changes).toBe(2);
    expect(during).toEqual({ from: absence.from + by, to: absence.to + by });
  },
);

test("the time that the question takes leaves nothing out", async () => {
  ahead = 5 * MINUTE;
  takes = 2_000;
  const absence = { from: NOW - MINUTE, to: NOW - 1_000 };
  const { during } = await new QueryClient().fetchQuery(missedQuery(undefined, absence, false));
  expect(during).toEqual({ from: absence.from + ahead - takes, to: absence.to + ahead });
});
