import { expect, test } from "vitest";
import type { Line } from "@/app/logs/schema";
import { type LogState, parseState } from "@/app/logs/search-params";
import type { SnapshotFile } from "@/lib/snapshot/format";
import { Snapshot } from "@/lib/snapshot/snapshot";
import { barsIn, isWanted, linesIn } from "./lines";
import { LINES_PATH } from "./parts";

const line: Line = {
  id: "1",
  time: "2026-11-22T21:00:00Z",
  service: "api",
  pod: "",
  container: "",
  level: "warning",
  message: "Ready to serve",
  fields: { path: "/a=b" },
};

test.each([
  [{}, true],
  [{ services: ["api", "redis"] }, true],
  [{ services: ["redis"] }, false],
  [{ level: "info" }, true],
  [{ level: "error" }, false],
  [{ text: "READY" }, true],
  [{ text: "steady" }, false],
  [{ text: "serve PATH=/a=b" }, true],
  [{ text: "steady", isRegexp: true }, true],
  [{ fields: ["path=/a=b"] }, true],
  [{ fields: ["path=/a"] }, false],
  [{ fields: ["constructor=x"] }, false],
  [{ from: "2026-11-22T21:00:00Z", to: "2026-11-22T21:00:00Z" }, true],
  [{ from: "2026-11-22T21:00:01Z" }, false],
  [{ to: "2026-11-22T20:59:59Z" }, false],
] satisfies [Partial<LogState>, boolean][])("a line is wanted by %j: %s", (rest, wanted) => {
  expect(isWanted(line, { ...parseState(new URLSearchParams()), ...rest })).toBe(wanted);
});

test.each([
  ["debug", true],
  ["info", true],
  ["warning", false],
] as const)("a line without a level is information: of %s it is %s", (level, wanted) => {
  const state = { ...parseState(new URLSearchParams()), level };
  expect(isWanted({ ...line, level: undefined }, state)).toBe(wanted);
});

test("what stands for missing lines is of every filter but of another service or time", () => {
  const skipped = { ...line, message: "", level: undefined, fields: undefined, skipped: 9 };
  const state = parseState(new URLSearchParams("level=error&text=x&field=a=b"));
  expect(isWanted(skipped, state)).toBe(true);
  expect(isWanted(skipped, { ...state, services: ["redis"] })).toBe(false);
  expect(isWanted(skipped, { ...state, to: "2026-11-22T20:59:59Z" })).toBe(false);
});

test("the bars are of the time that the file has lines of, and of the chosen services and level", () => {
  const at = (time: string, rest = {}) => ({ ...line, time: `2026-11-22T${time}Z`, ...rest });
  const lines = [
    at("21:00:10"),
    at("21:00:50", { level: "error" }),
    at("21:01:00", { service: "redis" }),
    at("21:02:00", { skipped: 4 }),
  ];
  const counts = (query: string, takenAt = "21:01:30") =>
    barsIn(lines, parseState(new URLSearchParams(query)), Date.parse(`2026-11-22T${takenAt}Z`)).map(
      (bar) => [bar.lines, bar.errors, bar.skipped],
    );
  expect(counts("text=nothing&service=api")).toEqual([
    [2, 1, 0],
    [0, 0, 0],
    [0, 0, 4],
  ]);
  expect(counts("level=error", "21:03:00")).toEqual([
    [1, 1, 0],
    [0, 0, 0],
    [0, 0, 4],
    [0, 0, 0],
  ]);
  expect(counts("from=2026-11-22T21:01:00Z&to=2026-11-22T21:01:30Z")).toEqual([[1, 0, 0]]);
  expect(barsIn([], parseState(new URLSearchParams()), Date.parse(line.time))).toHaveLength(61);
});

test("lines are the oldest first, each once, and none without a time", () => {
  const lines = [{ ...line, id: "2" }, line, line, { ...line, id: "3", time: "never" }];
  const file: SnapshotFile = {
    ...{ kind: "zr-snapshot", version: 1, takenAt: line.time, environment: "", zr: "", with: [] },
    answers: { [LINES_PATH]: { lines, complete: true } },
    missing: [],
  };
  const found = linesIn(new Snapshot(file));
  expect(found.ok && found.data.map(({ id }) => id)).toEqual(["1", "2"]);
});
