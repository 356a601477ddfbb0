"use client";

import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useActions } from "@/components/actions/actions";
import { Button } from "@/components/button";
import { Command } from "@/components/command";
import { CopyButton } from "@/components/copy-button";
import { HealthyIcon, StartingIcon } from "@/components/icons";
import { Panel } from "@/components/panel";
import { devActions, whyNoDev } from "@/lib/actions/actions";
import { actionLabel } from "@/lib/actions/words";
import { doingText } from "@/lib/dev/doing-text";
import type { Attached as Run } from "@/lib/dev/schema";
import { shownText } from "@/lib/inert-text";
import { servicesQuery } from "@/lib/stack/queries";
import { span } from "@/lib/time";

/** Which runs of zr are attached, what each does, and what it can be asked for. */
export function Attached({
  runs,
  environment,
  now,
}: {
  runs: Run[];
  environment: string | undefined;
  now: number;
}) {
  return (
    <Panel title="Attached">
      {runs.length === 0 ? (
        <div data-testid="nobody-attached" className="px-4 py-3 text-xs">
          <p className="text-muted">
            No zr dev is attached. In the folder of the project, this makes every save live:
          </p>
          <p className="mt-2 flex items-center gap-2">
            <Command>zr dev</Command>
            <CopyButton label="Copy" text={() => "zr dev"} />
          </p>
        </div>
      ) : (
        <ul data-testid="attached" className="divide-y divide-line">
          {runs.map((run) => (
            <Item key={run.run} run={run} environment={environment} now={now} />
          ))}
        </ul>
      )}
    </Panel>
  );
}

function Item({
  run,
  environment,
  now,
}: {
  run: Run;
  environment: string | undefined;
  now: number;
}) {
  const busy = run.now.length > 0;
  return (
    <li data-verb={run.verb} className="flex gap-2.5 px-4 py-3">
      {busy ? (
        <StartingIcon className="mt-0.5 text-starting" />
      ) : (
        <HealthyIcon className="mt-0.5 text-healthy" />
      )}
      <div className="min-w-0 flex-1">
        <p className="flex flex-wrap items-baseline gap-x-2">
          <span className="font-medium">zr {run.verb}</span>
          <span className="wrap-anywhere">
            {run.user} on {run.machine || "a machine without a name"}
          </span>
          <span className="text-muted text-xs">process {run.process}</span>
          <time dateTime={run.since} title={run.since} className="ml-auto text-muted text-xs">
            for {span(now - Date.parse(run.since))}
          </time>
        </p>
        <p data-testid="now" aria-live="polite" className="wrap-anywhere text-muted text-xs">
          {doingText(run, now)}
        </p>
        {run.folder && (
          <p className="wrap-anywhere mt-0.5 font-mono text-muted text-xs">
            {shownText(run.folder)}
          </p>
        )}
        {run.verb === "dev" && <Actions run={run} environment={environment} />}
      </div>
    </li>
  );
}

/** Each asks first, and says what follows or why it cannot be done. */
function Actions({ run, environment }: { run: Run; environment: string | undefined }) {
  const ask = useActions();
  const { data } = useQuery(servicesQuery(environment));
  const names = data?.services.filter(({ dev }) => dev).map(({ name }) => name) ?? [];
  const [chosen, setChosen] = useState<string>();
  const service = names.find((name) => name === chosen) ?? names[0];
  const can = devActions.filter((action) => !whyNoDev(action, [run]));
  if (!ask || can.length === 0) {
    return null;
  }
  return (
    <div className="mt-2 flex flex-wrap items-center gap-2">
      {service && (
        <select
          aria-label="Service to rebuild or restart"
          value={service}
          onChange={(event) => setChosen(event.target.value)}
          className="h-7 max-w-48 rounded-md border border-line bg-surface px-2 text-xs"
        >
          {names.map((name) => (
            <option key={name}>{name}</option>
          ))}
        </select>
      )}
      {can
        .filter((action) => action === "apply" || service)
        .map((action) => (
          <Button
            key={action}
            onClick={() => ask({ service: action === "apply" ? "" : (service ?? ""), action })}
          >
            {actionLabel[action]}
          </Button>
        ))}
    </div>
  );
}
