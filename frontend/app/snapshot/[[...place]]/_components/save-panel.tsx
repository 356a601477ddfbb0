"use client";

import { useEffect, useRef, useState } from "react";
import { Button } from "@/components/button";
import { Panel } from "@/components/panel";
import type { Problem } from "@/lib/problem";
import { saveAs } from "@/lib/save-as";
import {
  type Choice,
  choices,
  fileName,
  type SnapshotFile,
  writeFile,
} from "@/lib/snapshot/format";
import { takeSnapshot } from "../save";
import { useWanted } from "../use-wanted";
import { MissingList } from "./missing-list";

type State =
  | { kind: "asking"; answered: number; of: number }
  | { kind: "saved"; name: string; bytes: number; file: SnapshotFile }
  | { kind: "failed"; problem: Problem };

/** Saves what the screens show now, and says beforehand what will be in the file. */
export function SavePanel({
  environment,
  loggedIn,
}: {
  environment: string | undefined;
  loggedIn: boolean;
}) {
  const button = useRef<HTMLButtonElement>(null);
  useWanted("save", button);
  const [chosen, setChosen] = useState<readonly Choice[]>([]);
  const [state, setState] = useState<State>();
  const asking = useRef<AbortController>(undefined);
  useEffect(() => () => asking.current?.abort(), []);

  const asks = state?.kind === "asking";

  async function save() {
    asking.current = new AbortController();
    const { signal } = asking.current;
    setState({ kind: "asking", answered: 0, of: 0 });
    try {
      const file = await takeSnapshot({
        environment,
        loggedIn,
        chosen,
        signal,
        onProgress: (answered, of) => setState({ kind: "asking", answered, of }),
      });
      const text = writeFile(file);
      const name = fileName(file);
      const { size } = saveAs(name, text, "application/json");
      setState({ kind: "saved", name, bytes: size, file });
    } catch (thrown) {
      if (!signal.aborted) {
        setState({ kind: "failed", problem: thrown as Problem });
      }
    }
  }

  return (
    <Panel title="Save">
      <div className="grid gap-3 px-4 py-4">
        <p>
          One file with what the screens show now, to be shared: the services with their pods,
          events and revisions, who needs whom, their health, the history, reloads, settings, the
          setup and the activity. Names of people, machines and folders are in it.
        </p>
        <p data-testid="secrets-out" className="text-muted text-xs">
          Secrets are in it by name and age, and their values are not. What Kubernetes and probes
          say of a failure is in their words, as on the screens: the api takes out the secrets that
          it knows, and of a project that this dashboard is only beside it knows none.
        </p>
        {choices.map((choice) => (
          <Box
            key={choice}
            choice={choice}
            checked={chosen.includes(choice)}
            onChange={(on) =>
              setChosen(on ? [...chosen, choice] : chosen.filter((each) => each !== choice))
            }
          />
        ))}
        <div className="flex flex-wrap items-center gap-3">
          <Button
            ref={button}
            // Who pressed it by keyboard stays at it: a disabled one would lose the focus.
            aria-disabled={asks}
            onClick={() => asks || void save()}
            className="border-accent! text-accent aria-disabled:cursor-default aria-disabled:border-line! aria-disabled:text-muted"
          >
            Save a snapshot
          </Button>
          <span role="status" className="wrap-anywhere min-w-0 text-xs">
            {state && <Said state={state} />}
          </span>
        </div>
        {state?.kind === "saved" && <MissingList missing={state.file.missing} />}
      </div>
    </Panel>
  );
}

const words: Record<Choice, { label: string; note: string }> = {
  values: {
    label: "Values of variables and settings, commands of probes",
    note: "Nothing that is known to be a secret, or called like one; but whatever else somebody wrote into a manifest.",
  },
  lines: {
    label: "The newest 2,000 log lines, and what zr quoted of what failed",
    note: "A service may write anything into its log, the secrets of a project too.",
  },
};

/** What is left out unless it is chosen, and what may be in it. */
function Box({
  choice,
  checked,
  onChange,
}: {
  choice: Choice;
  checked: boolean;
  onChange: (on: boolean) => void;
}) {
  const { label, note } = words[choice];
  return (
    <label className="flex items-start gap-2.5">
      <input
        type="checkbox"
        checked={checked}
        onChange={({ target }) => onChange(target.checked)}
        className="mt-0.5 accent-accent"
      />
      <span>
        {label}
        <span className="block text-muted text-xs">{note}</span>
      </span>
    </label>
  );
}

function Said({ state }: { state: State }) {
  switch (state.kind) {
    case "asking":
      return `Asking the api: ${state.answered} of ${state.of}`;
    case "failed":
      return <span className="text-unhealthy">Nothing is saved: {state.problem.message}</span>;
    case "saved":
      return (
        <span data-testid="saved">
          <span className="font-mono">{state.name}</span>, {sizeText(state.bytes)}, is handed to the
          browser.
        </span>
      );
  }
}

function sizeText(bytes: number): string {
  return bytes < 1e6 ? `${Math.ceil(bytes / 1e3)} KB` : `${(bytes / 1e6).toFixed(1)} MB`;
}
