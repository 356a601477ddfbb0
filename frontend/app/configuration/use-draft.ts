import { useEffect, useState } from "react";
import { type Draft, draftSchema } from "./draft";

/** What is written and not saved, kept over a reload and a visit to other screens, in this tab alone. */
export function useDraft(environment: string | undefined) {
  const key = `zr.configuration.draft.${environment ?? ""}`;
  const [draft, setDraft] = useState<Draft>();
  // The server has none, so that the page begins without it.
  useEffect(() => setDraft(stored(key)), [key]);
  function keep(next: Draft | undefined) {
    setDraft(next);
    if (next) {
      sessionStorage.setItem(key, JSON.stringify(next));
    } else {
      sessionStorage.removeItem(key);
    }
  }
  return [draft, keep] as const;
}

function stored(key: string): Draft | undefined {
  try {
    return draftSchema.parse(JSON.parse(sessionStorage.getItem(key) ?? ""));
  } catch {
    return undefined; // there is none, or an earlier version wrote it
  }
}
