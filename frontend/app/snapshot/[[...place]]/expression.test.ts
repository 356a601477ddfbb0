import { expect, test } from "vitest";
import { tryExpression } from "./expression";

const texts = ["Ready to serve", "ready\nagain", ""];

test.each([
  ["ready", [false, true, false]],
  ["(?i)ready", [true, true, false]],
  ["(?is)ready.again", [false, true, false]],
  ["(?ii)^ready$", [false, false, false]],
  ["^$", [false, false, true]],
])("%s finds %j", (expression, found) => {
  expect(tryExpression({ expression, texts })).toEqual({ found });
});

test.each(["(", "(?x)a", "a{2,1}"])("%s is none, and why is said", (expression) => {
  const answer = tryExpression({ expression, texts });
  expect("why" in answer && answer.why).toMatch(/^Invalid regular expression/);
});
