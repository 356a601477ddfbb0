"use client";

import {
  acceptCompletion,
  autocompletion,
  type CompletionContext,
  type CompletionResult,
  completionKeymap,
} from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap } from "@codemirror/commands";
import { yaml } from "@codemirror/lang-yaml";
import { HighlightStyle, syntaxHighlighting } from "@codemirror/language";
import { type Diagnostic, lintGutter, lintKeymap, setDiagnostics } from "@codemirror/lint";
import { getOriginalDoc, originalDocChangeEffect, unifiedMergeView } from "@codemirror/merge";
import { ChangeSet, Compartment, EditorState, type Text } from "@codemirror/state";
import {
  drawSelection,
  EditorView,
  highlightActiveLine,
  highlightSpecialChars,
  keymap,
  lineNumbers,
} from "@codemirror/view";
import { tags } from "@lezer/highlight";
import { useEffect, useRef } from "react";
import type { Fault } from "@/lib/problem";

/** A place to go to; each press is another object, so that the same place is gone to again. */
export interface Goal {
  line: number;
  column: number;
}

interface Props {
  text: string;
  /** What the cluster has: lines that differ from it are marked. */
  original: string;
  faults: Fault[];
  /** Keys that are offered, each with what is said of it. */
  keys: { key: string; detail: string }[];
  readOnly: boolean;
  goal: Goal | undefined;
  onChange: (text: string) => void;
}

/** All settings as YAML. It is loaded where it is opened, since it is large. */
export function TextEditor({ text, original, faults, keys, readOnly, goal, onChange }: Props) {
  const place = useRef<HTMLDivElement>(null);
  const view = useRef<EditorView>(undefined);
  const latest = useRef({ keys, onChange });
  const first = useRef({ text, original, readOnly });
  useEffect(() => {
    latest.current = { keys, onChange };
  });
  useEffect(() => {
    const editor = new EditorView({
      parent: place.current ?? undefined,
      state: EditorState.create({ doc: first.current.text, extensions: extensions() }),
    });
    view.current = editor;
    return () => editor.destroy();

    function extensions() {
      return [
        lineNumbers(),
        history(),
        drawSelection(),
        highlightActiveLine(),
        highlightSpecialChars(),
        lintGutter(),
        yaml(),
        syntaxHighlighting(highlight),
        unifiedMergeView({
          original: first.current.original,
          mergeControls: false,
          highlightChanges: true,
          gutter: true,
        }),
        autocompletion({ override: [(context) => completions(context, latest.current.keys)] }),
        keymap.of([
          { key: "Tab", run: acceptCompletion }, // where nothing is offered, it leaves the editor
          ...completionKeymap,
          ...historyKeymap,
          ...lintKeymap,
          ...defaultKeymap,
        ]),
        writable.of(EditorState.readOnly.of(first.current.readOnly)),
        EditorView.lineWrapping,
        EditorView.contentAttributes.of({ "aria-label": "Settings as YAML" }),
        EditorView.updateListener.of((update) => {
          if (update.docChanged && !update.transactions.some((each) => each.isUserEvent(OURS))) {
            latest.current.onChange(update.state.doc.toString());
          }
        }),
        theme,
      ];
    }
  }, []);

  useEffect(() => replaceText(view.current, text), [text]);
  useEffect(() => replaceOriginal(view.current, original), [original]);
  useEffect(() => {
    view.current?.dispatch({
      effects: writable.reconfigure(EditorState.readOnly.of(readOnly)),
    });
  }, [readOnly]);
  useEffect(() => {
    const editor = view.current;
    editor?.dispatch(
      setDiagnostics(
        editor.state,
        faults.flatMap((each) => marked(editor, each)),
      ),
    );
  }, [faults]);
  useEffect(() => {
    const editor = view.current;
    if (editor && goal) {
      const anchor = positionOf(editor.state.doc, goal);
      editor.dispatch({ selection: { anchor }, scrollIntoView: true });
      editor.focus();
    }
  }, [goal]);
  return <div ref={place} data-testid="text-editor" />;
}

/** Marks a change of the text that nobody has typed. */
const OURS = "replace";

const writable = new Compartment();

function replaceText(editor: EditorView | undefined, text: string) {
  if (editor && editor.state.doc.toString() !== text) {
    editor.dispatch({
      changes: { from: 0, to: editor.state.doc.length, insert: text },
      userEvent: OURS,
    });
  }
}

function replaceOriginal(editor: EditorView | undefined, text: string) {
  if (editor) {
    const { length } = getOriginalDoc(editor.state);
    const changes = ChangeSet.of({ from: 0, to: length, insert: text }, length);
    editor.dispatch({ effects: originalDocChangeEffect(editor.state, changes) });
  }
}

function positionOf(doc: Text, { line, column }: Goal): number {
  const at = doc.line(Math.min(Math.max(1, line), doc.lines));
  return Math.min(at.from + Math.max(0, column - 1), at.to);
}

/** A fault from its place to the end of the line; one without a place is told elsewhere. */
function marked({ state }: EditorView, { line, column = 1, message }: Fault): Diagnostic[] {
  if (!line) {
    return [];
  }
  const from = positionOf(state.doc, { line, column });
  return [{ from, to: state.doc.lineAt(from).to, severity: "error", message }];
}

/** Offers the keys that the text does not have yet, at the beginning of a line. */
function completions(context: CompletionContext, keys: Props["keys"]): CompletionResult | null {
  const word = context.matchBefore(/^[\w.-]*/);
  const line = context.state.doc.lineAt(context.pos);
  if (!word || word.from !== line.from || (word.text === "" && !context.explicit)) {
    return null;
  }
  const text = context.state.doc.toString();
  const options = keys
    .filter(({ key }) => !text.split("\n").some((each) => each.startsWith(`${key}:`)))
    .map(({ key, detail }) => ({ label: key, apply: `${key}: `, detail, type: "property" }));
  return { from: word.from, options, validFor: /^[\w.-]*$/ };
}

const highlight = HighlightStyle.define([
  { tag: [tags.propertyName, tags.definition(tags.propertyName)], color: "var(--accent)" },
  { tag: [tags.string, tags.content], color: "var(--ink)" },
  { tag: [tags.comment, tags.punctuation, tags.separator], color: "var(--muted)" },
]);

const theme = EditorView.theme({
  "&": {
    backgroundColor: "var(--surface)",
    color: "var(--ink)",
    fontSize: "0.75rem",
    border: "2px solid transparent",
    borderRadius: "0.5rem",
  },
  "&.cm-focused": { outline: "none", borderColor: "var(--accent)" },
  ".cm-scroller": {
    minHeight: "12rem",
    fontFamily: "ui-monospace, 'Cascadia Mono', 'Liberation Mono', monospace",
    lineHeight: "1.6",
  },
  ".cm-content": { padding: "0.5rem 0", caretColor: "var(--ink)" },
  ".cm-cursor": { borderLeftColor: "var(--ink)" },
  ".cm-gutters": {
    backgroundColor: "var(--surface)",
    color: "var(--muted)",
    borderRight: "1px solid var(--line)",
  },
  ".cm-activeLine": { backgroundColor: "color-mix(in srgb, var(--canvas) 70%, transparent)" },
  "&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground":
    {
      backgroundColor: "color-mix(in srgb, var(--accent) 25%, transparent)",
    },
  ".cm-tooltip": {
    backgroundColor: "var(--surface)",
    color: "var(--ink)",
    border: "1px solid var(--line)",
    borderRadius: "0.375rem",
  },
  ".cm-tooltip-autocomplete > ul > li[aria-selected]": {
    backgroundColor: "var(--canvas)",
    color: "var(--ink)",
    outline: "2px solid var(--accent)",
    outlineOffset: "-2px",
  },
  ".cm-completionDetail": { color: "var(--muted)", fontStyle: "normal" },
  ".cm-changedLine": {
    backgroundColor: "color-mix(in srgb, var(--healthy) 10%, transparent) !important",
  },
  ".cm-deletedChunk": {
    backgroundColor: "color-mix(in srgb, var(--unhealthy) 10%, transparent) !important",
  },
  ".cm-deletedChunk .cm-deletedText, .cm-changedText": { background: "none !important" },
  ".cm-changedLineGutter": { backgroundColor: "var(--healthy) !important" },
  ".cm-deletedLineGutter": { backgroundColor: "var(--unhealthy) !important" },
});
