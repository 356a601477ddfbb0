"use client";

import { useId, useState } from "react";
import { Button } from "@/components/button";
import { Dialog } from "@/components/dialog";
import { chooseEditor, editors, useEditorPattern, whyNoPattern } from "@/lib/dev/editor";

/** Chooses in which editor a line of source opens. */
export function EditorChoice() {
  const pattern = useEditorPattern();
  const [writing, setWriting] = useState(false);
  const known = editors.find((each) => each.pattern === pattern);
  return (
    <>
      <label className="flex items-center gap-2">
        Files open in
        <select
          value={known?.pattern ?? "other"}
          onChange={({ target }) =>
            target.value === "other" ? setWriting(true) : chooseEditor(target.value)
          }
          className="h-7 max-w-40 rounded-md border border-line bg-surface px-2 text-ink"
        >
          {editors.map((each) => (
            <option key={each.name} value={each.pattern}>
              {each.name}
            </option>
          ))}
          <option value="other">Another editor…</option>
        </select>
      </label>
      {!known && <Button onClick={() => setWriting(true)}>Change</Button>}
      {writing && <PatternDialog pattern={pattern} onClose={() => setWriting(false)} />}
    </>
  );
}

function PatternDialog({ pattern, onClose }: { pattern: string; onClose: () => void }) {
  const [text, setText] = useState(pattern);
  const why = whyNoPattern(text);
  const reason = useId();
  return (
    <Dialog label="How a file opens" onClose={onClose}>
      <form
        data-testid="editor-pattern"
        className="p-4"
        onSubmit={(event) => {
          event.preventDefault();
          if (!why) {
            chooseEditor(text);
            onClose();
          }
        }}
      >
        <h2 className="font-semibold">How a file opens</h2>
        <p className="mt-2 text-muted text-xs">
          The address that your editor listens to. {"{path}"} is the file, {"{line}"} and{" "}
          {"{column}"} are the place in it, {"{machine}"} is where zr runs. It is kept in this
          browser.
        </p>
        <input
          autoFocus
          aria-label="Address"
          aria-invalid={why !== undefined}
          aria-describedby={reason}
          spellCheck={false}
          autoComplete="off"
          value={text}
          onChange={(event) => setText(event.target.value)}
          className="mt-3 h-8 w-full rounded-md border border-line bg-canvas px-2 font-mono text-xs"
        />
        <p id={reason} role="status" className="mt-1 min-h-4 text-unhealthy text-xs">
          {why}
        </p>
        <div className="mt-3 flex gap-2">
          <Button
            type="submit"
            disabled={why !== undefined}
            className="border-accent! text-accent disabled:border-line! disabled:text-muted"
          >
            Use it
          </Button>
          <Button onClick={onClose}>Cancel</Button>
        </div>
      </form>
    </Dialog>
  );
}
