// @vitest-environment happy-dom
import { act, cleanup, renderHook } from "@testing-library/react";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { Line } from "@/app/logs/schema";
import { parseState } from "@/app/logs/search-params";
import { type Asked, tryExpression } from "./expression";
import { useFound } from "./use-found";

/** What the workers are: each answers when it is told to, until it is ended. */
class Work {
  static all: Work[] = [];
  ended = false;
  onmessage?: (event: { data: unknown }) => void;
  onerror?: () => void;
  asked?: Asked;
  constructor() {
    Work.all.push(this);
  }
  postMessage(asked: Asked) {
    this.asked = asked;
  }
  terminate() {
    this.ended = true;
  }
  answer() {
    act(() => this.onmessage?.({ data: this.asked && tryExpression(this.asked) }));
  }
}

beforeEach(() => {
  Work.all = [];
  vi.useFakeTimers();
  vi.stubGlobal("Worker", Work);
});

afterEach(() => {
  cleanup();
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

const line = (id: string, rest: Partial<Line>): Line => ({
  ...{ id, time: "2026-11-22T21:00:00Z", service: "api", pod: "", container: "", message: "" },
  ...rest,
});
const lines = [
  line("1", { message: "ready" }),
  line("2", { message: "steady", fields: { a: "b" } }),
  line("3", { skipped: 4 }),
];

function find(query: string) {
  return renderHook(({ of }) => useFound(lines, of), {
    initialProps: { of: parseState(new URLSearchParams(query)) },
  });
}

test("without an expression nobody else is asked", () => {
  expect(find("text=STEADY").result.current.lines.map(({ id }) => id)).toEqual(["2", "3"]);
  expect(Work.all).toEqual([]);
});

test("an expression is tried beside the page, on a message and its fields; what is missing stays", () => {
  const { result } = find("regexp=dy a=b$");
  expect(result.current).toEqual({ lines: [], asking: true });
  Work.all[0]?.answer();
  expect(result.current.lines.map(({ id }) => id)).toEqual(["2", "3"]);
  expect(result.current.asking).toBe(false);
  expect(Work.all.map(({ ended }) => ended)).toEqual([true]);
});

test("another one ends the one before", () => {
  const { result, rerender } = find("regexp=steady");
  rerender({ of: parseState(new URLSearchParams("regexp=^ready")) });
  expect(Work.all.map(({ ended }) => ended)).toEqual([true, false]);
  Work.all[1]?.answer();
  expect(result.current.lines.map(({ id }) => id)).toEqual(["1", "3"]);
});

test("one that is none, takes too long or cannot be tried says so", async () => {
  const none = find("regexp=(");
  Work.all[0]?.answer();
  expect(none.result.current.why).toMatch(/^Invalid regular expression/);
  const endless = find("regexp=a");
  await act(() => vi.advanceTimersByTimeAsync(5_000));
  expect(endless.result.current.why).toMatch(/longer than 5 s/);
  expect(Work.all[1]?.ended).toBe(true);
  const broken = find("regexp=b");
  act(() => Work.all[2]?.onerror?.());
  expect(broken.result.current).toEqual({
    ...{ lines: [], asking: false },
    why: "This browser could not try it.",
  });
});
