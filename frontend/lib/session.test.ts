import { expect, test } from "vitest";
import { sessionIn } from "./session";

test.each([
  [null, undefined],
  ["", undefined],
  ["theme=dark", undefined],
  ["zr_session=abc_-1", "abc_-1"],
  ["theme=dark; zr_session=YQ==; a=b", "YQ=="],
  ["not_zr_session=abc", undefined],
  ["zr_session=a\r\nb", undefined],
])("the session in %j is %j", (cookies, session) => {
  expect(sessionIn(cookies)).toBe(session);
});
