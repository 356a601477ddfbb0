import { useSyncExternalStore } from "react";
import { changed, subscribe } from "@/lib/stored";
import type { Place } from "./schema";

/** Where the choice is kept: it is of this browser, as the editor is of this machine. */
const KEY = "zr.editor";

/** What an address of a place is made from: the absolute path, its line and column, and the machine that it is on. */
export const editors = [
  { name: "VS Code", pattern: "vscode://file{path}:{line}:{column}" },
  {
    name: "VS Code on a remote machine (SSH)",
    pattern: "vscode://vscode-remote/ssh-remote+{machine}{path}:{line}:{column}",
  },
  { name: "Cursor", pattern: "cursor://file{path}:{line}:{column}" },
  { name: "Windsurf", pattern: "windsurf://file{path}:{line}:{column}" },
  { name: "Zed", pattern: "zed://file{path}:{line}:{column}" },
  { name: "JetBrains", pattern: "idea://open?file={path}&line={line}&column={column}" },
] as const;

const DEFAULT = editors[0].pattern;

/** Schemes that run something in the page itself. */
const OWN_SCHEMES = /^(javascript|data|blob|vbscript|about|view-source):/i;

/** Why a text is no pattern; undefined where it is one. */
export function whyNoPattern(pattern: string): string | undefined {
  if (!/^[a-z][a-z0-9+.-]*:/i.test(pattern) || OWN_SCHEMES.test(pattern)) {
    return "It begins with the scheme of an editor, such as vscode:";
  }
  return pattern.includes("{path}") ? undefined : "It says with {path} where the file is.";
}

/** Where a place opens in the editor; undefined where nobody knows its folder. */
export function editorURL(
  pattern: string,
  { folder, machine }: { folder: string; machine: string },
  { file, line, column }: Place,
): string | undefined {
  if (!folder) {
    return undefined;
  }
  const path = resolved(folder, file).split("/").map(encodeURIComponent).join("/");
  const values: Record<string, string> = {
    path,
    machine: encodeURIComponent(machine),
    line: String(Math.max(1, line)),
    column: String(Math.max(1, column)),
  };
  return pattern.replace(/\{(path|machine|line|column)\}/g, (_, name) => values[name] ?? "");
}

/** The absolute path of a file, which may be beside the folder. */
function resolved(folder: string, file: string): string {
  const parts: string[] = [];
  for (const part of `${folder}/${file}`.split("/")) {
    if (part === "..") {
      parts.pop();
    } else if (part !== "" && part !== ".") {
      parts.push(part);
    }
  }
  return `/${parts.join("/")}`;
}

/** The pattern by which files are opened: that of this browser, and VS Code's until one is chosen. */
export function useEditorPattern(): string {
  return useSyncExternalStore(subscribe, chosen, () => DEFAULT);
}

function chosen(): string {
  try {
    const pattern = localStorage.getItem(KEY);
    return pattern && !whyNoPattern(pattern) ? pattern : DEFAULT;
  } catch {
    return DEFAULT; // a browser may keep nothing
  }
}

/** Chooses the pattern for all pages of this browser. */
export function chooseEditor(pattern: string): void {
  try {
    localStorage.setItem(KEY, pattern);
  } catch {
    return; // what cannot be kept is not chosen
  }
  changed();
}
