"use client";

import { StartingIcon } from "@/components/icons";
import { Panel } from "@/components/panel";
import type { Reload } from "@/lib/dev/reload";
import { stepPurpose, steps } from "@/lib/dev/reload";
import type { Doing } from "@/lib/dev/schema";
import { span } from "@/lib/time";
import { Save, stepColor } from "./save";

/** Every save, the newest first: what is made live now, then what has ended. */
export function Saves({
  saves,
  going,
  narrowed,
  now,
}: {
  saves: Reload[];
  going: Doing[];
  /** Whether others may be left out. */
  narrowed: boolean;
  now: number;
}) {
  return (
    <Panel title="Saves" note={<Legend />}>
      {saves.length === 0 && going.length === 0 && (
        <p data-testid="no-saves" className="px-4 py-3 text-muted text-xs">
          {narrowed
            ? "No save is like that."
            : "Nothing was saved under zr dev in the last 30 days. A save is listed here as soon as zr dev notices it."}
        </p>
      )}
      {/* Not to be read aloud as it changes: each save would be said in full. */}
      <ol data-testid="saves" className="divide-y divide-line">
        {going.map(({ what, state, since }) => (
          <li
            key={`${what} ${since}`}
            data-testid="going"
            data-service={what}
            className="flex gap-2.5 px-4 py-2.5"
          >
            <StartingIcon className="mt-0.5 text-starting" />
            <div className="min-w-0 flex-1">
              <p className="flex items-baseline gap-2">
                <span className="wrap-anywhere font-medium">{what}</span>
                <span className="text-starting text-xs">{state}</span>
                <span className="ml-auto text-muted text-xs">
                  for {span(now - Date.parse(since))}
                </span>
              </p>
              <div aria-hidden="true" className="mt-1.5 h-2 rounded-full bg-line">
                <div className="h-2 w-1/3 animate-pulse rounded-full bg-starting/50" />
              </div>
            </div>
          </li>
        ))}
        {saves.map((save) => (
          <Save key={save.id} save={save} now={now} />
        ))}
      </ol>
    </Panel>
  );
}

/** What the colours of a bar mean. */
function Legend() {
  return (
    <span className="flex gap-3 max-md:hidden">
      {steps.map((step) => (
        <span key={step} title={stepPurpose[step]} className="flex items-center gap-1">
          <svg viewBox="0 0 8 8" aria-hidden="true" className="size-2">
            <rect width="8" height="8" rx="2" className={stepColor[step]} />
          </svg>
          {step}
        </span>
      ))}
    </span>
  );
}
