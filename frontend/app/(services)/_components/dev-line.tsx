"use client";

import { useQuery } from "@tanstack/react-query";
import { HealthyIcon, StartingIcon } from "@/components/icons";
import { Link } from "@/components/link";
import { doingText } from "@/lib/dev/doing-text";
import { attachedQuery } from "@/lib/dev/queries";
import type { Attached } from "@/lib/dev/schema";
import { useDevFeed } from "@/lib/dev/use-feed";
import { reloadsScreenPath } from "@/lib/screens";

/** Which runs of zr are attached and what they do now: a line for each, and nothing where there is none. */
export function DevLine({ environment, now }: { environment: string | undefined; now: number }) {
  const { data, error } = useQuery(attachedQuery(environment));
  if (error || !data || data.attached.length === 0) {
    return null;
  }
  return (
    <div data-testid="dev-line" className="-mt-3 mb-6 grid gap-1">
      <Follow environment={environment} />
      {data.attached.map((run) => (
        <Line key={run.run} run={run} now={now} />
      ))}
    </div>
  );
}

/** Has what they do told as it changes. */
function Follow({ environment }: { environment: string | undefined }) {
  useDevFeed(environment);
  return null;
}

function Line({ run, now }: { run: Attached; now: number }) {
  const busy = run.now.length > 0;
  return (
    <p className="flex items-start gap-2 text-xs">
      {busy ? <StartingIcon className="text-starting" /> : <HealthyIcon className="text-healthy" />}
      <span className="wrap-anywhere">
        <Link
          href={reloadsScreenPath({})}
          className="font-medium text-accent underline-offset-4 hover:underline"
        >
          zr {run.verb}
        </Link>{" "}
        of {run.user} on {run.machine || "a machine without a name"}{" "}
        <span className="text-muted">{doingText(run, now)}</span>
      </span>
    </p>
  );
}
