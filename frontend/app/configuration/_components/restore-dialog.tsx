"use client";

import { useQuery, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useRef, useState } from "react";
import { Button } from "@/components/button";
import { Dialog } from "@/components/dialog";
import { useEnvironment } from "@/components/environment";
import { StartingIcon } from "@/components/icons";
import { MAX_REASON } from "@/lib/allow-list";
import type { Problem } from "@/lib/problem";
import { requestKey } from "@/lib/request-key";
import { configurationKey, previewQuery, restoreRevision, revisionQuery } from "../query-options";
import type { Preview, Written } from "../schema";
import type { Saving } from "../use-editing";
import { Effects } from "./effects";
import { Refusal } from "./refusal";

/** Asks whether to go back to a revision, and says what that does. */
export function RestoreDialog({
  revision,
  onClose,
  onDone,
}: {
  revision: number;
  onClose: () => void;
  onDone: (written: Written) => void;
}) {
  const environment = useEnvironment();
  const client = useQueryClient();
  const [reason, setReason] = useState("");
  const [saving, setSaving] = useState<Saving>();
  const key = useRef(requestKey());
  const { data, error } = useQuery({
    ...revisionQuery(environment, revision),
    refetchInterval: false,
  });
  const preview = useQuery({
    ...previewQuery(environment, data?.text ?? "", `revision ${revision}`),
    enabled: data !== undefined,
  });
  const problem = error ?? preview.error;
  const going = saving?.going === true;

  async function restore({ etag }: Preview) {
    setSaving({ going: true });
    try {
      const change = { environment, etag, reason: reason.trim(), key: key.current };
      onDone(await restoreRevision({ ...change, revision }));
    } catch (thrown) {
      key.current = requestKey();
      setSaving({ going: false, problem: thrown as Problem });
      await preview.refetch();
    }
    await client.invalidateQueries({ queryKey: configurationKey });
  }

  return (
    <Dialog label={`Go back to revision ${revision}`} onClose={onClose}>
      <form
        data-testid="restore-dialog"
        onSubmit={(event: FormEvent) => {
          event.preventDefault();
          if (preview.data) {
            void restore(preview.data);
          }
        }}
      >
        <h2 className="px-4 pt-4 pb-3 font-semibold">Go back to revision {revision}</h2>
        <div className="border-line border-y">
          {problem && <Refusal problem={problem} />}
          {preview.data && !problem && <Effects preview={preview.data} />}
          {!preview.data && !problem && (
            <p role="status" className="px-4 py-3 text-muted text-xs">
              Asking the api and Kubernetes…
            </p>
          )}
        </div>
        {saving?.going === false && <Refusal problem={saving.problem} />}
        <div className="space-y-3 px-4 py-3">
          <label className="block text-muted text-xs">
            Why, for those who read the revisions
            <input
              value={reason}
              maxLength={MAX_REASON}
              onChange={(event) => setReason(event.target.value)}
              className="mt-1 h-8 w-full rounded-md border border-line bg-canvas px-2 text-ink"
            />
          </label>
          <div className="flex flex-wrap items-center gap-2">
            <Button
              type="submit"
              disabled={!preview.data || problem !== null || going || reason.trim() === ""}
              className="border-accent! text-accent disabled:cursor-default disabled:border-line! disabled:text-muted"
            >
              Go back
            </Button>
            <Button onClick={onClose}>Cancel</Button>
            {going && (
              <span role="status" className="flex items-center gap-1.5 text-xs">
                <StartingIcon className="text-starting" />
                This ends when the pods are ready.
              </span>
            )}
            {!going && reason.trim() === "" && <span className="text-muted text-xs">Say why.</span>}
          </div>
        </div>
      </form>
    </Dialog>
  );
}
