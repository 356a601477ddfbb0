"use client";

import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { Button } from "@/components/button";
import { HealthyIcon } from "@/components/icons";
import { Panel } from "@/components/panel";
import { Unread } from "@/components/unread";
import { ago } from "@/lib/time";
import { secretsQuery } from "../query-options";
import type { Secret, SecretSet } from "../schema";
import type { ConfigurationPart } from "../search-params";
import { workloads } from "../words";
import { Nobody } from "./nobody";
import { SecretDialog } from "./secret-dialog";
import type { NobodyReason } from "./settings-tab";

/** The secrets by name: how old they are, who uses them, and a way to set them that shows nothing. */
export function SecretsTab({
  part: { environment },
  nobody,
  now,
}: {
  part: ConfigurationPart;
  nobody: NobodyReason;
  now: number;
}) {
  const { data, error } = useQuery(secretsQuery(environment));
  /** The key that is set; "" for a new one. */
  const [setting, setSetting] = useState<string>();
  const [done, setDone] = useState<{ name: string; set: SecretSet }>();
  return (
    <div className="grid gap-6">
      {done && <SetNote {...done} onDismiss={() => setDone(undefined)} />}
      {nobody && <Nobody {...nobody} />}
      {(!data || error) && (
        // A secret may have the name of the tab.
        <Panel title="Secrets of the environment">
          <Unread problem={error} />
        </Panel>
      )}
      {data?.secrets.length === 0 && (
        <Panel title="Secrets">
          <p data-testid="no-secrets" className="px-4 py-3 text-muted text-xs">
            There are none. What stands in config/secrets/ENVIRONMENT.env becomes the Secret
            “secrets” with the next <code className="font-mono">zr up</code>.
          </p>
        </Panel>
      )}
      {data?.secrets.map((secret) => (
        <SecretPanel
          key={secret.name}
          secret={secret}
          may={nobody === undefined}
          now={now}
          onSet={setSetting}
        />
      ))}
      {setting !== undefined && (
        <SecretDialog
          name={setting}
          onClose={() => setSetting(undefined)}
          onDone={(name, set) => {
            setSetting(undefined);
            setDone({ name, set });
          }}
        />
      )}
    </div>
  );
}

function SecretPanel({
  secret: { name, keys, settable, createdAt, changedAt, source },
  may,
  now,
  onSet,
}: {
  secret: Secret;
  may: boolean;
  now: number;
  onSet: (key: string) => void;
}) {
  return (
    <Panel title={name} note={settable ? undefined : "not zr's: it is only shown"}>
      {settable && (
        <p className="wrap-anywhere border-line border-b px-4 py-2 text-muted text-xs">
          {createdAt && <span title={createdAt}>made {ago(now - Date.parse(createdAt))}</span>}
          {changedAt && <span title={changedAt}>, changed {ago(now - Date.parse(changedAt))}</span>}
          {source && <span>, from {source}</span>}
        </p>
      )}
      {keys.length === 0 && <p className="px-4 py-3 text-muted text-xs">No key of it is known.</p>}
      <ul data-testid={`secret-${name}`} className="divide-y divide-line">
        {keys.map((key) => (
          <li key={key.name} className="flex flex-wrap items-center gap-x-4 gap-y-1 px-4 py-2">
            <span className="wrap-anywhere min-w-0 flex-1 font-mono text-xs">{key.name}</span>
            <span className="text-muted text-xs">
              {key.usedBy.length > 0 ? `read by ${workloads(key.usedBy)}` : "no pod reads it"}
            </span>
            {settable && (
              <Button
                aria-label={`Set ${key.name}`}
                disabled={!may}
                onClick={() => onSet(key.name)}
                className="disabled:cursor-default disabled:text-muted"
              >
                Set
              </Button>
            )}
          </li>
        ))}
      </ul>
      {settable && (
        <div className="border-line border-t px-4 py-3">
          <Button
            disabled={!may}
            onClick={() => onSet("")}
            className="disabled:cursor-default disabled:text-muted"
          >
            Add a secret
          </Button>
        </div>
      )}
    </Panel>
  );
}

function SetNote({
  name,
  set: { rolls, later },
  onDismiss,
}: {
  name: string;
  set: SecretSet;
  onDismiss: () => void;
}) {
  return (
    <div
      role="status"
      data-testid="secret-set"
      className="flex items-start gap-2.5 rounded-lg border border-healthy/40 bg-surface px-4 py-3 text-xs"
    >
      <HealthyIcon className="text-healthy" />
      <p className="wrap-anywhere min-w-0 flex-1">
        <strong className="font-semibold">
          <span className="font-mono">{name}</span> is set.
        </strong>{" "}
        {rolls.length > 0
          ? `The pods of ${workloads(rolls)} are replaced, and ready.`
          : "No pods had to be replaced."}
        {later.length > 0 && ` ${workloads(later)} will read it when pods are made anew.`}
      </p>
      <Button onClick={onDismiss}>Dismiss</Button>
    </div>
  );
}
