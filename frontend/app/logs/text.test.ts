import { expect, test } from "vitest";
import { inert } from "@/lib/inert";
import { segments } from "./styled";
import { toneOf } from "./tone";

test.each([
  ["plain\ttext\nand more", "plain\ttext\nand more"],
  ["\u001b[31mred", "␛[31mred"],
  ["\u001b]8;;http://evil.example\u0007link", "␛]8;;http://evil.example␇link"],
  ["a\u009bb", "a⟨U+009B⟩b"],
  ["user\u202etxt.exe", "user⟨U+202E⟩txt.exe"],
  ["a\u2066b\u200fc", "a⟨U+2066⟩b⟨U+200F⟩c"],
  ["null\u0000", "null␀"],
])("%j is shown as %s", (text, shown) => {
  expect(inert(text)).toBe(shown);
});

test.each([
  ["no colours", [], [["no colours", ""]]],
  [
    "ok red",
    [{ at: 3, code: "1;31" }],
    [
      ["ok ", ""],
      ["red", "text-tone-red font-semibold"],
    ],
  ],
  [
    "é漢ab",
    [
      { at: 5, code: "32" },
      { at: 6, code: "" },
    ],
    [
      ["é漢", ""],
      ["a", "text-tone-green"],
      ["b", ""],
    ],
  ],
  ["x", [{ at: 0, code: "38;5;196" }], [["x", "text-tone-red"]]],
  ["x", [{ at: 0, code: "38;2;20;30;250;4" }], [["x", "text-tone-blue underline"]]],
  ["x", [{ at: 0, code: "48;5;196;36" }], [["x", "text-tone-cyan"]]],
  ["x", [{ at: 0, code: "95" }], [["x", "text-tone-pink"]]],
  ["x", [{ at: 99, code: "31" }], [["x", ""]]],
  ["x", [{ at: 0, code: "nonsense" }], [["x", ""]]],
])("%j with %j", (message, styles, parts) => {
  expect(segments(message, styles).map((s) => [s.text, s.className])).toEqual(parts);
});

test("a service has the same tone each time, and few share one", () => {
  const names = ["api", "frontend", "postgres", "redis", "worker", "mail"];
  expect(names.map(toneOf)).toEqual(names.map(toneOf));
  expect(new Set(names.map(toneOf)).size).toBeGreaterThan(3);
});
