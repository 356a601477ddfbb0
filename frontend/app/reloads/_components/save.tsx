"use client";

import { useSearchParams } from "next/navigation";
import type { ComponentType } from "react";
import { Button } from "@/components/button";
import { HealthyIcon, PendingIcon, RemovedIcon, UnhealthyIcon } from "@/components/icons";
import { Link } from "@/components/link";
import {
  outcomeOf,
  outcomeText,
  type Reload,
  type ReloadOutcome,
  type Step,
  stepPurpose,
  stepsOf,
  totalOf,
} from "@/lib/dev/reload";
import { shownText } from "@/lib/inert-text";
import { logsScreenPath, servicePath } from "@/lib/screens";
import { ago, latency } from "@/lib/time";
import { eventIn } from "../part";
import { FEW_PLACES, Places } from "./places";
import { Text } from "./problems";
import { Bar, Waterfall } from "./waterfall";

const look: Record<ReloadOutcome, { color: string; Icon: ComponentType<{ className?: string }> }> =
  {
    live: { color: "text-healthy", Icon: HealthyIcon },
    sent: { color: "text-pending", Icon: PendingIcon },
    rolledBack: { color: "text-starting", Icon: RemovedIcon },
    failed: { color: "text-unhealthy", Icon: UnhealthyIcon },
  };

export const stepColor: Record<Step, string> = {
  noticed: "fill-muted",
  built: "fill-tone-blue",
  sent: "fill-tone-cyan",
  swapped: "fill-tone-violet",
  healthy: "fill-healthy",
};

/** How many paths of a save are named before it is opened. */
const FEW_PATHS = 2;

/** Before a save and after its end, what the logs of that time begin and end with; in milliseconds. */
const AROUND = 2_000;

/** One save for one service: each of its steps, and how it ended. */
export function Save({ save, now }: { save: Reload; now: number }) {
  const { id, data, places, folder, machine } = save;
  const open = eventIn({ event: useSearchParams().get("event") ?? undefined }) === id;
  const outcome = outcomeOf(data);
  const { color, Icon } = look[outcome];
  const total = totalOf(data);
  const parts = stepsOf(data).map(({ step, from, took }) => ({
    name: step,
    from,
    took,
    color: stepColor[step],
    text: latency(took),
    note: stepPurpose[step],
  }));
  return (
    <li
      data-testid="save"
      data-outcome={outcome}
      data-service={data.service}
      className="flex gap-2.5 px-4 py-2.5"
    >
      <Icon className={`mt-0.5 ${color}`} />
      <div className="min-w-0 flex-1">
        <p className="flex flex-wrap items-baseline gap-x-2">
          <Link
            href={servicePath(data.service)}
            className="wrap-anywhere font-medium underline-offset-4 hover:underline"
          >
            {data.service}
          </Link>
          <span className="wrap-anywhere font-mono text-xs">
            {data.paths.length > 0 ? pathsText(data.paths) : "asked for, without a save"}
          </span>
          <span className={`text-xs ${color}`}>{outcomeText[outcome]}</span>
          <time dateTime={save.at} title={save.at} className="ml-auto shrink-0 text-muted text-xs">
            {ago(now - Date.parse(data.saved))}
          </time>
        </p>
        <div className="mt-1.5 flex items-center gap-3">
          <div className="min-w-0 flex-1">
            <Bar parts={parts} total={total} label={`${data.service}: ${latency(total)} in all`} />
          </div>
          <span className="w-14 shrink-0 whitespace-nowrap text-right font-medium text-xs">
            {latency(total)}
          </span>
        </div>
        <div className="mt-1 flex flex-wrap items-center gap-x-3 gap-y-1 text-muted text-xs">
          {parts.map(({ name, text }) => (
            <span key={name} data-step={name} className="whitespace-nowrap">
              {name} {text}
            </span>
          ))}
          <Button
            aria-expanded={open}
            aria-label={`Details of the save of ${data.service}`}
            onClick={() => show(open ? undefined : id)}
            className="ml-auto h-6! px-2!"
          >
            Details
          </Button>
        </div>
        {places.length > 0 && (
          <div className="mt-1">
            <Places
              places={open ? places : places.slice(0, FEW_PLACES)}
              folder={folder}
              machine={machine}
            />
            {!open && places.length > FEW_PLACES && (
              <p className="text-muted text-xs">and {places.length - FEW_PLACES} more</p>
            )}
          </div>
        )}
        {data.error && !open && places.length === 0 && (
          <p className="wrap-anywhere mt-1 line-clamp-2 text-xs">{data.error}</p>
        )}
        {open && <Details save={save} parts={parts} total={total} outcome={outcome} />}
      </div>
    </li>
  );
}

function Details({
  save: { data, at },
  parts,
  total,
  outcome,
}: {
  save: Reload;
  parts: Parameters<typeof Waterfall>[0]["rows"];
  total: number;
  outcome: ReloadOutcome;
}) {
  const time = {
    from: new Date(Date.parse(data.saved) - AROUND).toISOString(),
    to: new Date(Date.parse(at) + AROUND).toISOString(),
  };
  return (
    <div data-testid="save-details" className="mt-3 grid gap-3 border-line border-l-2 pl-3">
      <p className="text-xs">{endText[outcome]}</p>
      <Waterfall rows={parts} total={total} />
      {data.error && <Text>{data.error}</Text>}
      <p className="flex flex-wrap gap-x-4 gap-y-1 text-xs">
        <Link
          href={logsScreenPath(data.service, time)}
          className="text-accent underline-offset-4 hover:underline"
        >
          What {data.service} wrote at that time
        </Link>
        <span className="text-muted">
          {data.action} · {data.bytes.toLocaleString("en")} bytes to the container
        </span>
      </p>
      {data.paths.length > FEW_PATHS && (
        <ul className="grid gap-0.5 font-mono text-muted text-xs">
          {data.paths.map((path) => (
            <li key={path} className="wrap-anywhere">
              {shownText(path)}
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}

const endText: Record<ReloadOutcome, string> = {
  live: "The new version answers its probe.",
  sent: "The files are in the container. Whether the process has read them, nothing shows.",
  rolledBack:
    "The new version did not get healthy. The last good one was put back, and answers. The last lines of the bad one are below.",
  failed: "The new version is not live. What ran before goes on.",
};

function pathsText(paths: string[]): string {
  const few = paths.slice(0, FEW_PATHS).map(shownText).join(", ");
  return paths.length > FEW_PATHS ? `${few} and ${paths.length - FEW_PATHS} more` : few;
}

/** The address says which save is open, without asking the server for the page again. */
function show(id: number | undefined) {
  const url = new URL(location.href);
  if (id === undefined) {
    url.searchParams.delete("event");
  } else {
    url.searchParams.set("event", String(id));
  }
  window.history.pushState(null, "", url);
}
