import { useCallback, useSyncExternalStore } from "react";
import { useSnapshot } from "@/lib/snapshot/context";
import { type Draft, draftSchema } from "./draft";

const listeners = new Set<() => void>();

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** What was read last: the same text is the same draft. */
let read: { text: string | null; draft: Draft | undefined } = { text: null, draft: undefined };

function stored(key: string): Draft | undefined {
  const text = sessionStorage.getItem(key);
  if (text !== read.text) {
    read = { text, draft: parse(text) };
  }
  return read.draft;
}

function parse(text: string | null): Draft | undefined {
  try {
    return draftSchema.parse(JSON.parse(text ?? ""));
  } catch {
    return undefined; // there is none, or an earlier version wrote it
  }
}

/**
 * What is written and not saved, over a reload and a visit to other screens, in
 * this tab alone. A browser that keeps nothing keeps no session either. Of a snapshot
 * there is none: what is written here is of the environment itself.
 */
export function useDraft(environment: string | undefined) {
  const key = `zr.configuration.draft.${environment ?? ""}`;
  const snapshot = useSnapshot();
  const draft = useSyncExternalStore(
    subscribe,
    () => (snapshot ? undefined : stored(key)),
    () => undefined,
  );
  const keep = useCallback(
    (next: Draft | undefined) => {
      if (next) {
        sessionStorage.setItem(key, JSON.stringify(next));
      } else {
        sessionStorage.removeItem(key);
      }
      for (const listener of listeners) {
        listener();
      }
    },
    [key],
  );
  return [draft, keep] as const;
}
