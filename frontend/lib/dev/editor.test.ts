// @vitest-environment happy-dom
import { act, cleanup, renderHook } from "@testing-library/react";
import { afterEach, expect, test } from "vitest";
import { chooseEditor, editors, editorURL, useEditorPattern, whyNoPattern } from "./editor";

afterEach(() => {
  cleanup();
  localStorage.clear();
});

const from = { folder: "/home/ana/my shop", machine: "laptop" };
const place = { file: "cmd/api/main.go", line: 12, column: 3, message: "" };
const url = (pattern: string, at = place) => editorURL(pattern, from, at);

test.each([
  ["VS Code", "vscode://file/home/ana/my%20shop/cmd/api/main.go:12:3"],
  [
    "VS Code on a remote machine (SSH)",
    "vscode://vscode-remote/ssh-remote+laptop/home/ana/my%20shop/cmd/api/main.go:12:3",
  ],
  ["Cursor", "cursor://file/home/ana/my%20shop/cmd/api/main.go:12:3"],
  ["Windsurf", "windsurf://file/home/ana/my%20shop/cmd/api/main.go:12:3"],
  ["Zed", "zed://file/home/ana/my%20shop/cmd/api/main.go:12:3"],
  ["JetBrains", "idea://open?file=/home/ana/my%20shop/cmd/api/main.go&line=12&column=3"],
])("%s opens %s", (name, expected) => {
  const pattern = editors.find((each) => each.name === name)?.pattern ?? "";
  expect(whyNoPattern(pattern)).toBeUndefined();
  expect(url(pattern)).toBe(expected);
});

test("a file beside the folder, a place without a column, and a name that looks like an address", () => {
  const odd = { file: "../a?b#c%d.go", line: 0, column: 0, message: "" };
  expect(url("zed://file{path}:{line}:{column}", odd)).toBe(
    "zed://file/home/ana/a%3Fb%23c%25d.go:1:1",
  );
});

test("without a folder there is nothing to open", () => {
  expect(editorURL(editors[0].pattern, { folder: "", machine: "m" }, place)).toBeUndefined();
});

test.each(["", "{path}", "javascript:alert({path})", "DATA:{path}", "vscode://file"])(
  "%j is no pattern",
  (pattern) => {
    expect(whyNoPattern(pattern)).toBeDefined();
  },
);

test("the choice is kept in the browser, and what is no pattern is not taken over", () => {
  const { result } = renderHook(() => useEditorPattern());
  expect(result.current).toBe(editors[0].pattern);
  act(() => chooseEditor("emacs://open?f={path}"));
  expect(result.current).toBe("emacs://open?f={path}");
  act(() => {
    localStorage.setItem("zr.editor", "javascript:{path}");
    window.dispatchEvent(new Event("storage"));
  });
  expect(result.current).toBe(editors[0].pattern);
});
