"use client";

import type { FormEvent } from "react";
import { Button } from "@/components/button";
import { HealthyIcon, StartingIcon } from "@/components/icons";
import { Panel } from "@/components/panel";
import { MAX_REASON } from "@/lib/allow-list";
import type { Fault } from "@/lib/problem";
import type { Written } from "../schema";
import type { Saving } from "../use-editing";
import type { Previewed } from "../use-preview";
import { workloads } from "../words";
import { Effects } from "./effects";
import { Nobody } from "./nobody";
import { Refusal } from "./refusal";

/** What a draft would do, and the button that does it. */
export function Review({
  previewed,
  reason,
  where,
  nobody,
  conflicts,
  saving,
  onReason,
  onGo,
  onSave,
  onDiscard,
}: {
  previewed: Previewed;
  reason: string;
  /** Where it is written. */
  where: string;
  /** Why who looks may not. */
  nobody: { text: string; command?: string } | undefined;
  /** Whether somebody else has changed what it is a change of. */
  conflicts: boolean;
  saving: Saving;
  onReason: (reason: string) => void;
  onGo: ((fault: Fault) => void) | undefined;
  onSave: () => void;
  onDiscard: () => void;
}) {
  const { preview, problem, checking, again } = previewed;
  const going = saving?.going === true;
  const whyNot = whyNotYet({ previewed, conflicts, reason });
  function submit(event: FormEvent) {
    event.preventDefault();
    onSave();
  }
  return (
    <Panel title="What it does">
      <div aria-live="polite" data-testid="review" data-checking={checking}>
        {checking && !problem && (
          <p className="px-4 py-3 text-muted text-xs">Asking the api and Kubernetes…</p>
        )}
        {problem && (
          <Refusal
            problem={problem}
            onGo={onGo}
            onAgain={problem.code === "invalid" ? undefined : again}
          />
        )}
        {preview && <Effects preview={preview} />}
      </div>
      <form onSubmit={submit} className="space-y-3 border-line border-t px-4 py-3">
        {nobody && <Nobody {...nobody} />}
        <label className="block text-muted text-xs">
          Why, for those who read the revisions
          <input
            value={reason}
            maxLength={MAX_REASON}
            readOnly={going}
            onChange={(event) => onReason(event.target.value)}
            className="mt-1 h-8 w-full rounded-md border border-line bg-canvas px-2 text-ink"
          />
        </label>
        <p className="text-muted text-xs">{where}</p>
        {saving?.going === false && (
          <div className="-mx-4 border-line border-y">
            <Refusal problem={saving.problem} />
          </div>
        )}
        <div className="flex flex-wrap items-center gap-2">
          <Button
            type="submit"
            disabled={nobody !== undefined || whyNot !== undefined || going}
            className="border-accent! text-accent disabled:cursor-default disabled:border-line! disabled:text-muted"
          >
            Save
          </Button>
          <Button
            onClick={onDiscard}
            disabled={going}
            className="disabled:cursor-default disabled:text-muted"
          >
            Discard
          </Button>
          {going ? (
            <span role="status" className="flex items-center gap-1.5 text-xs">
              <StartingIcon className="text-starting" />
              Saving: this ends when the pods are ready.
            </span>
          ) : (
            !nobody && whyNot && <span className="text-muted text-xs">{whyNot}</span>
          )}
        </div>
      </form>
    </Panel>
  );
}

function whyNotYet({
  previewed: { preview, problem },
  conflicts,
  reason,
}: {
  previewed: Previewed;
  conflicts: boolean;
  reason: string;
}): string | undefined {
  if (conflicts) {
    return "Settle first what others have changed.";
  }
  if (problem) {
    return "It cannot be saved like this.";
  }
  if (!preview) {
    return "";
  }
  if (preview.changes.length === 0 && preview.rolls.length === 0) {
    return "There is nothing to save.";
  }
  return reason.trim() === "" ? "Say why." : undefined;
}

/** What was saved, once the cluster has it. */
export function SavedNote({ written, onDismiss }: { written: Written; onDismiss: () => void }) {
  const { revision, rolls, file } = written;
  return (
    <div
      role="status"
      data-testid="saved"
      className="mb-6 flex items-start gap-2.5 rounded-lg border border-healthy/40 bg-surface px-4 py-3 text-xs"
    >
      <HealthyIcon className="text-healthy" />
      <p className="wrap-anywhere min-w-0 flex-1">
        <strong className="font-semibold">Revision {revision} is in effect.</strong>{" "}
        {rolls.length > 0
          ? `The pods of ${workloads(rolls)} are replaced, and ready.`
          : "No pods had to be replaced."}
        {file && ` It is written into ${file}.`}
      </p>
      <Button onClick={onDismiss}>Dismiss</Button>
    </div>
  );
}
