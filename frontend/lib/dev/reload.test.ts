import { expect, test } from "vitest";
import { doingText } from "./doing-text";
import { anAttached, anEvent, aSave } from "./fixtures";
import { outcomeOf, stepsOf, totalOf } from "./reload";
import { ofType } from "./schema";
import { merged } from "./use-feed";

const dataOf = (data: object) => {
  const [save] = ofType("reload", [aSave(data)]);
  if (!save) {
    throw new Error("it is no reload");
  }
  return save.data;
};

test("steps follow each other, and those that did not happen are left out", () => {
  const data = dataOf({ built: 0 });
  expect(stepsOf(data)).toEqual([
    { step: "noticed", from: 0, took: 10 },
    { step: "sent", from: 10, took: 20 },
    { step: "swapped", from: 30, took: 30 },
    { step: "healthy", from: 60, took: 40 },
  ]);
  expect(totalOf(data)).toBe(100);
});

test.each([
  [{}, "live"],
  [{ onlySent: true }, "sent"],
  [{ error: "main.go:1: no" }, "failed"],
  [{ error: "it crashed", rolledBack: true }, "rolledBack"],
] as const)("a save with %o is %s", (data, outcome) => {
  expect(outcomeOf(dataOf(data))).toBe(outcome);
});

test("what another version tells otherwise is left out", () => {
  expect(ofType("reload", [anEvent("reload", { service: 7 }), anEvent("notice", {})])).toEqual([]);
  expect(dataOf({ paths: null }).paths).toEqual([]);
});

test("events that came and those of a page are each there once, the newest first", () => {
  const [a, b, c] = [{ id: 1 }, { id: 2 }, { id: 3 }];
  expect(merged([c, b], [b, a])).toEqual([c, b, a]);
});

const SINCE = "2026-11-22T21:00:00Z";

test.each([
  ["dev", [], "waits for a save"],
  ["up", [], "between two steps"],
  ["dev", [{ what: "api", state: "building", since: SINCE }], "builds api, for 3 s"],
  [
    "up",
    [
      { what: "apply", state: "running", since: SINCE },
      { what: "api", state: "reloading", since: SINCE },
      { what: "web", state: "reloading", since: SINCE },
    ],
    "brings the environment up: apply and reloads api and web, for 3 s",
  ],
] as const)("a zr %s with %o says so", (verb, now, text) => {
  const run = anAttached({ verb, now: [...now] });
  expect(doingText(run, Date.parse(SINCE) + 3_000)).toBe(text);
});
