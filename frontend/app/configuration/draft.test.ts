import { expect, test } from "vitest";
import { rowsOf, settledValues, textOf, threeWays, type Value, withNewRow } from "./draft";

const values = (of: Record<string, string>): Value[] =>
  Object.entries(of).map(([key, value]) => ({ key, value }));

test("rows are a line each, and what is empty or removed is none", () => {
  const [first, second] = rowsOf(values({ A: 'say "yes": \n', B: "2" }));
  const rows = withNewRow([first, { ...second, removed: true }] as never);
  expect(textOf({ kind: "rows", rows })).toBe('"A": "say \\"yes\\": \\n"\n');
  expect(rows[2]).toMatchObject({ id: 2, added: true });
});

test("what is written as text stays as it is", () => {
  expect(textOf({ kind: "text", text: "A: b # why" })).toBe("A: b # why");
});

const base = values({ SAME: "1", MINE: "1", THEIRS: "1", BOTH: "1", ALIKE: "1", GONE: "1" });
const theirs = values({ SAME: "1", MINE: "1", THEIRS: "2", BOTH: "2", ALIKE: "3", NEW: "4" });
const mine = values({ SAME: "1", MINE: "2", THEIRS: "1", BOTH: "3", ALIKE: "3", GONE: "2" });

test("what one side alone has changed is taken, and what both have is a choice", () => {
  const given = threeWays(base, theirs, mine).map(({ key, given }) => [key, given]);
  expect(given).toEqual([
    ["ALIKE", "theirs"],
    ["BOTH", undefined],
    ["GONE", undefined],
    ["MINE", "mine"],
    ["NEW", "theirs"],
    ["THEIRS", "theirs"],
  ]);
});

test.each([
  ["mine", { ALIKE: "3", BOTH: "3", GONE: "2", MINE: "2", NEW: "4", SAME: "1", THEIRS: "2" }],
  ["theirs", { ALIKE: "3", BOTH: "2", MINE: "2", NEW: "4", SAME: "1", THEIRS: "2" }],
] as const)("where the choice is %s, nothing of the others is lost", (side, settled) => {
  const ways = threeWays(base, theirs, mine);
  expect(settledValues(theirs, ways, () => side)).toEqual(values(settled));
});
