"use client";

import { useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useRef, useState } from "react";
import { Button } from "@/components/button";
import { Dialog } from "@/components/dialog";
import { useEnvironment } from "@/components/environment";
import { StartingIcon } from "@/components/icons";
import type { Problem } from "@/lib/problem";
import { requestKey } from "@/lib/request-key";
import { configurationKey, setSecret } from "../query-options";
import type { SecretSet } from "../schema";
import type { Saving } from "../use-editing";
import { workloads } from "../words";
import { Refusal } from "./refusal";

const FIELD = "mt-1 h-8 w-full rounded-md border border-line bg-canvas px-2 font-mono text-ink";

/** As the api takes it. */
const NAME = "[A-Za-z_][A-Za-z0-9_]*";

/**
 * Takes a value for a key of the Secret. What is written stands in the field
 * alone: no state, address or cache has it, and it goes with the dialog.
 */
export function SecretDialog({
  name,
  onClose,
  onDone,
}: {
  /** The key; "" where a new one is to be named. */
  name: string;
  onClose: () => void;
  onDone: (name: string, set: SecretSet) => void;
}) {
  const environment = useEnvironment();
  const client = useQueryClient();
  const [saving, setSaving] = useState<Saving>();
  const request = useRef(requestKey());
  const going = saving?.going === true;
  const problem = saving?.going === false ? saving.problem : undefined;
  const volumes = problem?.dependents ?? [];

  async function submit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    const written = new FormData(event.currentTarget);
    const key = name || String(written.get("name"));
    setSaving({ going: true });
    try {
      const value = String(written.get("value"));
      const confirmed = volumes.length > 0;
      onDone(key, await setSecret(environment, key, { value, confirmed, key: request.current }));
    } catch (thrown) {
      request.current = requestKey();
      setSaving({ going: false, problem: thrown as Problem });
    }
    await client.invalidateQueries({ queryKey: configurationKey });
  }

  return (
    <Dialog label={name ? `Set ${name}` : "Add a secret"} onClose={onClose}>
      <form data-testid="secret-dialog" autoComplete="off" onSubmit={submit} className="p-4">
        <h2 className="wrap-anywhere font-semibold">
          {name ? (
            <>
              Set <span className="font-mono text-sm">{name}</span>
            </>
          ) : (
            "Add a secret"
          )}
        </h2>
        <p className="mt-1 text-muted text-xs">
          It is written and never shown again. The pods that read it are replaced.
        </p>
        {!name && (
          <label className="mt-3 block text-muted text-xs">
            Name
            <input name="name" required pattern={NAME} spellCheck={false} className={FIELD} />
          </label>
        )}
        <label className="mt-3 block text-muted text-xs">
          New value
          <input
            name="value"
            type="password"
            required
            autoComplete="new-password"
            readOnly={going}
            className={FIELD}
          />
        </label>
        {problem && volumes.length === 0 && (
          <div className="-mx-4 mt-3 border-line border-y">
            <Refusal problem={problem} />
          </div>
        )}
        {volumes.length > 0 && (
          <p
            role="alert"
            data-testid="volumes"
            className="mt-3 border-starting border-l-2 pl-3 text-xs"
          >
            {workloads(volumes)} {volumes.length === 1 ? "has a volume" : "have volumes"} that may
            have been made with the value that is there now. A database keeps the password of its
            first start: with another one, what reads the secret may not get in.
          </p>
        )}
        <div className="mt-4 flex flex-wrap items-center gap-2">
          <Button
            type="submit"
            disabled={going}
            className="border-accent! text-accent disabled:cursor-default disabled:border-line! disabled:text-muted"
          >
            {volumes.length > 0 ? "Set it all the same" : "Set"}
          </Button>
          <Button onClick={onClose}>Cancel</Button>
          {going && (
            <span role="status" className="flex items-center gap-1.5 text-xs">
              <StartingIcon className="text-starting" />
              This ends when the pods are ready.
            </span>
          )}
        </div>
      </form>
    </Dialog>
  );
}
