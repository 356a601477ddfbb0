"use client";

import { useId, useRef, useState } from "react";
import { Panel } from "@/components/panel";
import { NoSnapshot } from "@/lib/snapshot/format";
import { openFile } from "../opened";
import { useWanted } from "../use-wanted";

/** Takes the file of a snapshot: one that is chosen, or dropped here. */
export function OpenPanel() {
  const input = useRef<HTMLInputElement>(null);
  useWanted("open", input);
  const [why, setWhy] = useState<string>();
  const [over, setOver] = useState(false);
  const note = useId();

  async function take(file: File | undefined) {
    if (!file) {
      return;
    }
    setWhy(undefined);
    try {
      await openFile(file);
    } catch (thrown) {
      setWhy(
        thrown instanceof NoSnapshot
          ? thrown.message
          : `The browser could not read it: ${(thrown as Error).message}`,
      );
    }
  }

  return (
    <Panel title="Open">
      {/* biome-ignore lint/a11y/noStaticElementInteractions: what can be dropped can be chosen below */}
      <div
        data-testid="open-snapshot"
        onDragOver={(event) => {
          event.preventDefault();
          setOver(true);
        }}
        onDragLeave={() => setOver(false)}
        onDrop={(event) => {
          event.preventDefault();
          setOver(false);
          void take(event.dataTransfer.files[0]);
        }}
        className={`grid gap-3 px-4 py-4 ${over ? "bg-canvas" : ""}`}
      >
        <p>
          A file that was saved here or elsewhere, by whichever zr. It is read in this browser, and
          sent nowhere.
        </p>
        <label className="grid gap-1.5 rounded-md border border-line border-dashed px-3 py-4 text-muted text-xs">
          Choose a file, or drop it here
          <input
            type="file"
            accept=".json,application/json"
            ref={input}
            aria-describedby={note}
            aria-invalid={why !== undefined}
            onChange={({ target }) => {
              void take(target.files?.[0]);
              // The same file can be chosen once more.
              target.value = "";
            }}
            className="min-w-0 max-w-full cursor-pointer text-ink file:mr-3 file:h-7 file:cursor-pointer file:rounded-md file:border file:border-line file:bg-surface file:px-2.5 file:font-medium file:text-ink"
          />
        </label>
        <p
          id={note}
          role="status"
          data-testid="not-opened"
          className="wrap-anywhere text-unhealthy text-xs empty:hidden"
        >
          {why}
        </p>
      </div>
    </Panel>
  );
}
