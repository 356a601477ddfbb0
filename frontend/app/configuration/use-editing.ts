import { useQueryClient } from "@tanstack/react-query";
import { useMemo, useRef, useState } from "react";
import type { Problem } from "@/lib/problem";
import { requestKey } from "@/lib/request-key";
import {
  baseOf,
  type Content,
  type Draft,
  linesOf,
  rowsOf,
  sameValues,
  textOf,
  type Value,
} from "./draft";
import { configurationKey, writeSettings } from "./query-options";
import type { Settings, Written } from "./schema";
import { useDraft } from "./use-draft";
import { usePreview } from "./use-preview";

/** How saving goes: it is under way, or has failed. */
export type Saving = { going: true } | { going: false; problem: Problem } | undefined;

/** Everything about a change that is written and not saved yet. */
export function useEditing(
  environment: string | undefined,
  settings: Settings,
  /** Whether who looks may change something: the api checks nothing for others. */
  may: boolean,
) {
  const client = useQueryClient();
  const current = useMemo(() => baseOf(settings), [settings]);
  const [kept, keep] = useDraft(environment);
  const [saving, setSaving] = useState<Saving>();
  const [saved, setSaved] = useState<Written>();
  /** What was asked for last, and under which key: the same once more is done once. */
  const asked = useRef({ what: "", key: "" });

  const previewed = usePreview(
    environment,
    current.etag,
    kept && may ? textOf(kept.content) : undefined,
  );
  const values = kept && valuesOf(kept.content, previewed.preview?.settings);
  const differs = kept !== undefined && kept.base.etag !== current.etag;
  const isOnTop =
    differs &&
    (sameValues(kept.base.values, current.values) ||
      (values !== undefined && sameValues(values, current.values)));
  const draft = kept && (isOnTop ? { ...kept, base: current } : kept);

  async function save(of: Draft) {
    const change = {
      environment,
      etag: of.base.etag,
      reason: of.reason.trim(),
      text: textOf(of.content),
    };
    const what = JSON.stringify(change);
    if (asked.current.what !== what) {
      asked.current = { what, key: requestKey() };
    }
    setSaving({ going: true });
    try {
      setSaved(await writeSettings({ ...change, key: asked.current.key }));
      keep(undefined);
      setSaving(undefined);
    } catch (thrown) {
      setSaving({ going: false, problem: thrown as Problem });
    }
    await client.invalidateQueries({ queryKey: configurationKey });
  }

  return {
    current,
    draft,
    previewed,
    /** What is written as settings; undefined where it cannot be read as such. */
    values,
    /** Whether others have changed the settings since the draft began. */
    conflicts: differs && !isOnTop,
    saving,
    saved,
    write(content: Content) {
      setSaving(undefined);
      setSaved(undefined);
      keep({ reason: "", base: current, ...draft, content });
    },
    giveReason(reason: string) {
      if (draft) {
        keep({ ...draft, reason });
      }
    },
    settle(values: Value[]) {
      if (draft) {
        setSaving(undefined);
        keep({ ...draft, base: current, content: { kind: "rows", rows: rowsOf(values) } });
      }
    },
    save: () => draft && save(draft),
    discard() {
      setSaving(undefined);
      keep(undefined);
    },
    setSaved,
  };
}

/** What is written as settings: the form says it itself, and of a text the api does. */
function valuesOf(content: Content, read: Value[] | undefined): Value[] | undefined {
  return content.kind === "text"
    ? read
    : linesOf(content.rows).map(({ key, value }) => ({ key, value }));
}
