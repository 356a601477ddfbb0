import { expect, test } from "vitest";
import type { Line } from "@/app/logs/schema";
import { type LogState, parseState } from "@/app/logs/search-params";
import type { SnapshotFile } from "@/lib/snapshot/format";
import { Snapshot } from "@/lib/snapshot/snapshot";
import { isWanted, linesIn } from "./lines";
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
  [{ fields: ["path=/a=b"] }, true],
  [{ fields: ["path=/a"] }, false],
  [{ fields: ["constructor=x"] }, false],
  [{ from: "2026-11-22T21:00:00Z", to: "2026-11-22T21:00:00Z" }, true],
  [{ from: "2026-11-22T21:00:01Z" }, false],
  [{ to: "2026-11-22T20:59:59Z" }, false],
] satisfies [Partial<LogState>, boolean][])("a line is wanted by %j: %s", (rest, wanted) => {
  expect(isWanted(line, { ...parseState(new URLSearchParams()), ...rest })).toBe(wanted);
});

test("a line without a level is of no level that is asked for", () => {
  const state = { ...parseState(new URLSearchParams()), level: "debug" as const };
  expect(isWanted({ ...line, level: undefined }, state)).toBe(false);
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
