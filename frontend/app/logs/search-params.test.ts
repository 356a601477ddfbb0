import { expect, test } from "vitest";
import { randomOf } from "@/lib/testing";
import { levels } from "./schema";
import {
  clocks,
  countsPath,
  exportPath,
  type LogState,
  livePath,
  parseState,
  searchPath,
  writeState,
} from "./search-params";

const CHARACTERS = [..."ab9 =&#+%?/\\\"'<>\n\t;,.[](){}|^$*é漢😀\u202e\u0000"];

function randomState(random: () => number): LogState {
  const below = (n: number) => Math.floor(random() * n);
  const some = <T>(most: number, make: () => T) => Array.from({ length: below(most + 1) }, make);
  const pick = <T>(from: readonly T[]): T | undefined => from[below(from.length + 1)];
  const text = (most: number) => some(most, () => CHARACTERS[below(CHARACTERS.length)]).join("");
  const time = () => new Date(below(2e12)).toISOString();
  const searched = text(40);
  return {
    services: [...new Set(some(5, () => `s${below(9)}.x-y`))],
    level: pick(levels),
    text: searched,
    isRegexp: searched !== "" && random() < 0.5,
    fields: [...new Set(some(4, () => `k${below(9)}=${text(12)}`))],
    from: random() < 0.5 ? time() : undefined,
    to: random() < 0.5 ? time() : undefined,
    line: random() < 0.5 ? String(below(1e9)) : undefined,
    clock: pick(clocks) ?? "local",
    wrap: random() < 0.5,
  };
}

const queryOf = (path: string) => new URL(path, "http://localhost").searchParams;

test("every state is an address that means it", () => {
  const random = randomOf(1);
  for (let i = 0; i < 2_000; i++) {
    const state = randomState(random);
    const path = writeState(state);
    expect(parseState(queryOf(path)), path).toEqual(state);
    expect(writeState(parseState(queryOf(path)))).toBe(path);
  }
});

test("an address of anything means some state", () => {
  const random = randomOf(2);
  const names = ["service", "level", "text", "regexp", "field", "from", "to", "line", "time"];
  for (let i = 0; i < 2_000; i++) {
    const query = new URLSearchParams();
    for (let n = random() * 6; n > 0; n--) {
      const name = names[Math.floor(random() * names.length)] ?? "wrap";
      const { text, from = "2026", level = "off" } = randomState(random);
      query.append(name, [text, from, level, "api", "a=b"][Math.floor(random() * 5)] ?? "");
    }
    const state = parseState(query);
    expect(parseState(queryOf(writeState(state))), String(query)).toEqual(state);
  }
});

test("what says nothing is left out", () => {
  expect(writeState(parseState(new URLSearchParams()))).toBe("/logs");
});

test("the api is asked within its bounds", () => {
  const query = new URLSearchParams("service=api&service=API&level=loud&from=yesterday&field==x");
  query.set("text", "x".repeat(600));
  const state = parseState(query);
  expect(state.services).toEqual(["api"]);
  expect(state).toMatchObject({ level: undefined, from: undefined, fields: [] });
  expect(state.text).toHaveLength(500);
});

test("searches, live views, counts and exports are asked for alike", () => {
  const state = parseState(
    new URLSearchParams("service=api&regexp=a%2Bb&field=k%3Dv&to=2026-01-02T03:04:05Z&line=7"),
  );
  expect(searchPath(state, { limit: "5" })).toBe(
    "/api/v1/logs?service=api&regexp=a%2Bb&field=k%3Dv&to=2026-01-02T03%3A04%3A05Z&limit=5",
  );
  expect(livePath(state, "41")).toBe(
    "/api/v1/logs/live?service=api&regexp=a%2Bb&field=k%3Dv&after=41",
  );
  expect(exportPath(state, "text")).toContain("&format=text");
  expect(countsPath(state, "A", "B", 60)).toBe(
    "/api/v1/logs/counts?service=api&from=A&to=B&every=60",
  );
});
