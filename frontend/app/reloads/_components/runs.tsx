"use client";

import { type ComponentType, useState } from "react";
import { Button } from "@/components/button";
import { HealthyIcon, RemovedIcon, StartingIcon, UnhealthyIcon } from "@/components/icons";
import { Panel } from "@/components/panel";
import type { Run, RunStep } from "@/lib/dev/runs";
import type { Attached } from "@/lib/dev/schema";
import { shownText } from "@/lib/inert-text";
import { ago, latency } from "@/lib/time";
import { Text } from "./problems";
import { Waterfall } from "./waterfall";

type Ending = "ready" | "failed" | "going" | "ended";

const look: Record<
  Ending,
  { text: string; color: string; Icon: ComponentType<{ className?: string }> }
> = {
  ready: { text: "healthy", color: "text-healthy", Icon: HealthyIcon },
  failed: { text: "failed", color: "text-unhealthy", Icon: UnhealthyIcon },
  going: { text: "goes on", color: "text-starting", Icon: StartingIcon },
  ended: { text: "ended before it was healthy", color: "text-pending", Icon: RemovedIcon },
};

const stepColor: Record<RunStep["outcome"], string> = {
  going: "fill-starting",
  done: "fill-tone-blue",
  unchanged: "fill-muted",
  failed: "fill-unhealthy",
  cancelled: "fill-pending",
};

/** The times that the environment was brought up, the newest first, each with its steps. */
export function Runs({ runs, attached, now }: { runs: Run[]; attached: Attached[]; now: number }) {
  return (
    <Panel title="Brought up" note="by zr up, and as zr dev begins">
      {runs.length === 0 ? (
        <p data-testid="no-runs" className="px-4 py-3 text-muted text-xs">
          No zr up or zr dev has told anything in the last 30 days.
        </p>
      ) : (
        <ol data-testid="runs" className="divide-y divide-line">
          {runs.map((run) => (
            <Item
              key={run.id}
              run={run}
              there={attached.some((each) => each.run === run.run)}
              now={now}
            />
          ))}
        </ol>
      )}
    </Panel>
  );
}

function Item({ run, there, now }: { run: Run; there: boolean; now: number }) {
  const ending = run.outcome === "open" ? (there ? "going" : "ended") : run.outcome;

  const [open, setOpen] = useState(false);
  const { text, color, Icon } = look[ending];
  const took = run.tookMs ?? (ending === "going" ? now : run.last) - run.began;
  const worked = run.steps.filter(({ outcome }) => outcome !== "unchanged").length;
  return (
    <li data-testid="run" data-ending={ending} className="flex gap-2.5 px-4 py-2.5">
      <Icon className={`mt-0.5 ${color}`} />
      <div className="min-w-0 flex-1">
        <p className="flex flex-wrap items-baseline gap-x-2">
          <span className="font-medium">zr {run.verb}</span>
          <span className={`text-xs ${color}`}>{text}</span>
          <span className="wrap-anywhere text-muted text-xs">
            {run.user} on {run.machine || "a machine without a name"}
          </span>
          <time
            dateTime={new Date(run.began).toISOString()}
            className="ml-auto shrink-0 text-muted text-xs"
          >
            {ago(now - run.began)}
          </time>
        </p>
        <p className="mt-0.5 flex flex-wrap items-center gap-x-3 text-muted text-xs">
          <span className="whitespace-nowrap font-medium text-ink">{latency(took)}</span>
          <span>
            {worked === 0
              ? "nothing had changed"
              : `${worked} of ${run.steps.length} steps had something to do`}
          </span>
          <Button
            aria-expanded={open}
            aria-label={`Steps of this zr ${run.verb}`}
            onClick={() => setOpen(!open)}
            className="ml-auto h-6! px-2!"
          >
            Steps
          </Button>
        </p>
        {run.error && (
          <div className="mt-1 grid gap-1">
            <Text>{run.error}</Text>
            {run.hint && <p className="wrap-anywhere text-xs">{run.hint}</p>}
          </div>
        )}
        {open && (
          <div className="mt-3 border-line border-l-2 pl-3">
            <Waterfall rows={run.steps.map((step) => row(step, took))} total={took} />
          </div>
        )}
      </div>
    </li>
  );
}

function row({ step, title, from, took, outcome, detail }: RunStep, total: number) {
  const said = outcome === "done" ? "" : `${outcome}${detail ? ": " : ""}`;
  return {
    name: step,
    from,
    took: took ?? Math.max(0, total - from),
    color: stepColor[outcome],
    text: outcome === "going" ? "…" : latency(took ?? 0),
    note: shownText([title, said + detail].filter(Boolean).join(" · ")),
  };
}
