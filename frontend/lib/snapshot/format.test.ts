import { expect, test } from "vitest";
import { fileName, LONGEST, NoSnapshot, readFile, type SnapshotFile, writeFile } from "./format";

const file: SnapshotFile = {
  kind: "zr-snapshot",
  version: 1,
  takenAt: "2026-11-22T21:00:00.000Z",
  environment: "shop",
  zr: "0.1.0",
  with: ["lines"],
  answers: { "/api/v1/services": { namespace: "shop", services: [] }, "/api/v1/dev": null },
  missing: [
    { what: "the activity", path: "/api/v1/activity", code: "not_logged_in", message: "who?" },
  ],
};

/** Why a file is refused. */
function refusal(content: unknown): string {
  try {
    readFile(typeof content === "string" ? content : JSON.stringify(content));
    return "";
  } catch (thrown) {
    expect(thrown).toBeInstanceOf(NoSnapshot);
    return (thrown as Error).message;
  }
}

test("what is written is read again, and each answer has a line of its own", () => {
  const text = writeFile(file);
  expect(readFile(text)).toEqual(file);
  expect(text.split("\n")).toContain('  "/api/v1/dev": null');
});

test("without an answer it is a file too", () => {
  expect(readFile(writeFile({ ...file, answers: {} })).answers).toEqual({});
});

test.each([
  ["", "it is not in JSON"],
  ["{", "it is not in JSON"],
  ["null", "This is no snapshot that zr has saved."],
  [[], "This is no snapshot that zr has saved."],
  [{ ...file, kind: "zr" }, "This is no snapshot that zr has saved."],
  [{ ...file, version: "1" }, "This is no snapshot that zr has saved."],
  [{ ...file, version: 2 }, "it is of version 2, and this dashboard knows 1"],
  [{ ...file, answers: "no" }, "“answers”"],
  [{ ...file, takenAt: "yesterday" }, "“takenAt”"],
  [{ ...file, with: ["secrets"] }, "“with.0”"],
  [{ ...file, missing: [{ ...file.missing[0], code: "novel" }] }, "“missing.0.code”"],
])("%j is refused", (content, why) => {
  expect(refusal(content)).toContain(why);
});

test("lists, objects and depths have an end", () => {
  const answers = (value: unknown) => ({ ...file, answers: { a: value } });
  expect(refusal(answers(Array(LONGEST).fill(0)))).toBe("");
  expect(refusal(answers(Array(LONGEST + 1).fill(0)))).toContain("a list of 2,001 entries");
  expect(refusal({ ...file, missing: Array(20_000).fill(file.missing[0]) })).toBe("");
  expect(refusal({ ...file, missing: Array(20_001).fill(0) })).toContain(
    "a list of 20,001 entries",
  );
  const fields = Object.fromEntries(Array.from({ length: 20_001 }, (_, i) => [i, 0]));
  expect(refusal(answers(fields))).toContain("an object of 20,001 fields");
  const deep = `{"kind":"zr-snapshot","version":1,"answers":${"[".repeat(100_000)}${"]".repeat(100_000)}}`;
  expect(refusal(deep)).toMatch(/without an end|not in JSON/);
});

test("what a stranger wrote is inert, names too, and has an end", () => {
  const text = "\u202egnp.exe\u001b[2J";
  const answers = { [text]: { [text]: [text, { message: text.repeat(1_000_000) }] } };
  const read = readFile(JSON.stringify({ ...file, environment: text, answers }));
  expect(JSON.stringify(read)).not.toMatch(/\u202e|\\u001b/);
  expect(JSON.stringify(read)).toContain("⟨U+202E⟩gnp.exe␛[2J");
  const long = readFile(JSON.stringify({ ...file, answers: { a: "a".repeat(1_000_000) } }));
  expect(long.answers.a).toMatch(/^a{10000}… \(990,000 more characters\)$/);
});

test("a name of a prototype is a name", () => {
  const read = readFile(
    JSON.stringify(file).replace('"/api/v1/dev":null', '"__proto__":{"version":7}'),
  );
  expect((read as { polluted?: unknown }).polluted).toBeUndefined();
  expect(read.version).toBe(1);
  expect(({} as { version?: number }).version).toBeUndefined();
});

test.each([
  ["shop", "zr-shop-2026-11-22T21-00-00Z.json"],
  ["../../x", "zr-------x-2026-11-22T21-00-00Z.json"],
  ["", "zr-unknown-2026-11-22T21-00-00Z.json"],
])("a file of %j is called %s", (environment, name) => {
  expect(fileName({ ...file, environment })).toBe(name);
});
