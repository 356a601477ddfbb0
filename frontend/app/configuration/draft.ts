import { z } from "zod";
import type { Settings } from "./schema";

const valueSchema = z.object({ key: z.string(), value: z.string() });
/** A setting and what it is. */
export type Value = z.infer<typeof valueSchema>;

const rowSchema = z.object({
  id: z.number().int(),
  key: z.string(),
  value: z.string(),
  /** Whether it is a new one, whose key is still written. */
  added: z.boolean(),
  removed: z.boolean(),
});
/** A setting in the form. */
export type Row = z.infer<typeof rowSchema>;

const contentSchema = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("rows"), rows: z.array(rowSchema) }),
  z.object({ kind: z.literal("text"), text: z.string() }),
]);
/** What is written: rows of the form, or YAML. The other one is made from it. */
export type Content = z.infer<typeof contentSchema>;

const baseSchema = z.object({
  etag: z.string(),
  text: z.string(),
  values: z.array(valueSchema),
});
/** The settings that a draft is a change of. */
export type Base = z.infer<typeof baseSchema>;

export const draftSchema = z.object({
  base: baseSchema,
  content: contentSchema,
  reason: z.string(),
});
/** A change that is not saved yet. */
export type Draft = z.infer<typeof draftSchema>;

export function baseOf({ etag, text, settings }: Settings): Base {
  return { etag, text, values: settings.map(({ key, value }) => ({ key, value })) };
}

export function rowsOf(values: Value[]): Row[] {
  return values.map(({ key, value }, id) => ({ id, key, value, added: false, removed: false }));
}

/** A row more, for a new setting. */
export function withNewRow(rows: Row[]): Row[] {
  const id = Math.max(-1, ...rows.map((row) => row.id)) + 1;
  return [...rows, { id, key: "", value: "", added: true, removed: false }];
}

/** The rows that are written, each on its own line of the text. */
export function linesOf(rows: Row[]): Row[] {
  return rows.filter(({ key, value, removed }) => !removed && (key !== "" || value !== ""));
}

/** What is written as YAML for the api: a text in JSON is one in YAML, too. */
export function textOf(content: Content): string {
  return content.kind === "text"
    ? content.text
    : linesOf(content.rows)
        .map(({ key, value }) => `${JSON.stringify(key)}: ${JSON.stringify(value)}\n`)
        .join("");
}

export function sameValues(a: Value[], b: Value[]): boolean {
  const other = asMap(b);
  return a.length === b.length && a.every(({ key, value }) => other.get(key) === value);
}

export type Side = "mine" | "theirs";

/** A setting that differs between what a draft began with, what is there now, and what is written. */
export interface ThreeWay {
  key: string;
  base?: string;
  theirs?: string;
  mine?: string;
  /** Which of the two goes without saying: only one of them has changed it, or both alike. */
  given?: Side;
}

/** The settings that either side has changed, sorted by key. */
export function threeWays(base: Value[], theirs: Value[], mine: Value[]): ThreeWay[] {
  const [before, there, here] = [asMap(base), asMap(theirs), asMap(mine)];
  const keys = new Set([...before.keys(), ...there.keys(), ...here.keys()]);
  return [...keys]
    .sort()
    .map((key) => ({ key, base: before.get(key), theirs: there.get(key), mine: here.get(key) }))
    .filter((each) => each.theirs !== each.base || each.mine !== each.base)
    .map((each) => ({ ...each, given: givenSide(each) }));
}

function givenSide({ base, theirs, mine }: ThreeWay): Side | undefined {
  if (mine === base || mine === theirs) {
    return "theirs";
  }
  return theirs === base ? "mine" : undefined;
}

/** All settings as they are once each that differs is settled, sorted by key. */
export function settledValues(
  theirs: Value[],
  ways: ThreeWay[],
  choice: (key: string) => Side | undefined,
): Value[] {
  const settled = asMap(theirs);
  for (const way of ways) {
    const value = (way.given ?? choice(way.key)) === "mine" ? way.mine : way.theirs;
    if (value === undefined) {
      settled.delete(way.key);
    } else {
      settled.set(way.key, value);
    }
  }
  return [...settled.keys()].sort().map((key) => ({ key, value: settled.get(key) ?? "" }));
}

function asMap(values: Value[]): Map<string, string> {
  return new Map(values.map(({ key, value }) => [key, value]));
}
