"use client";

import { editorURL, useEditorPattern } from "@/lib/dev/editor";
import type { Place } from "@/lib/dev/schema";
import { shownText } from "@/lib/inert-text";
import { useSnapshot } from "@/lib/snapshot/context";

/** As many lines as are read at a glance. */
export const FEW_PLACES = 3;

/** The lines that a compiler named: each opens in the editor, where its folder is known. */
export function Places({
  places,
  folder,
  machine,
}: {
  places: Place[];
  folder: string;
  machine: string;
}) {
  const pattern = useEditorPattern();
  // The folder of a snapshot is one of another machine, and may be named by a stranger.
  const elsewhere = useSnapshot() !== undefined;
  return (
    <ol data-testid="places" className="grid gap-0.5 text-xs">
      {places.map((place, i) => {
        const url = elsewhere ? undefined : editorURL(pattern, { folder, machine }, place);
        const text = `${shownText(place.file)}:${place.line}${place.column ? `:${place.column}` : ""}`;
        return (
          // biome-ignore lint/suspicious/noArrayIndexKey: a compiler may say the same of a line twice
          <li key={i} className="wrap-anywhere">
            {url ? (
              <a
                href={url}
                title="Open it in the editor"
                className="font-mono text-accent underline-offset-4 hover:underline"
              >
                {text}
              </a>
            ) : (
              <span
                className="font-mono"
                title={elsewhere ? undefined : "The zr that told it did not say where it is"}
              >
                {text}
              </span>
            )}{" "}
            {place.message}
          </li>
        );
      })}
    </ol>
  );
}
