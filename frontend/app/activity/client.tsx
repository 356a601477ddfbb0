"use client";

import { useGo } from "@/components/environment";
import { Link } from "@/components/link";
import { Pages } from "@/components/pages";
import { ProblemView } from "@/components/problem-view";
import { POLL_MS } from "@/lib/freshness";
import type { Outcome } from "@/lib/problem";
import { useSnapshot } from "@/lib/snapshot/context";
import { useChosen } from "@/lib/use-chosen";
import { useNow } from "@/lib/use-now";
import { usePolled } from "@/lib/use-polled";
import { useTab } from "@/lib/use-tab";
import { ExportButton } from "./_components/export-button";
import { actionText, Records } from "./_components/records";
import { activityQuery } from "./query-options";
import { type Activity, outcomes, type RecordOutcome } from "./schema";
import { type ActivityPart, type Filter, placeOf } from "./search-params";

/** Who did what, and what was refused, a page at a time. */
export function ActivityClient({
  part,
  ...initial
}: {
  part: ActivityPart;
  activity: Outcome<Activity>;
  /** When the server asked, in milliseconds since the epoch. */
  renderedAt: number;
}) {
  const now = useNow(initial.renderedAt);
  const clock = { renderedAt: initial.renderedAt, now, paused: false };
  const { data, problem, freshness, ask } = usePolled(activityQuery(part), initial.activity, clock);
  useTab("Activity · zr", "unknown");
  const snapshot = useSnapshot();
  const { cursor, ...filter } = part;
  return (
    <>
      <div className="mb-6 flex flex-wrap items-center justify-between gap-3">
        <h1 className="font-semibold text-xl tracking-tight">Activity</h1>
        <div className="flex flex-wrap items-center gap-3">
          <ChosenFilters filter={filter} />
          {!snapshot && <OutcomeFilter filter={filter} />}
          {!snapshot && <ExportButton filter={filter} disabled={!data} />}
        </div>
      </div>
      {problem && (!data || freshness === "stale") && (
        <div className="mb-6">
          <ProblemView
            problem={problem}
            note={
              problem.code === "not_logged_in"
                ? "The audit log has names in it."
                : `This page asks again every ${POLL_MS / 1000} s.`
            }
            onRetry={ask}
          />
        </div>
      )}
      {data && <Records records={data.records} filter={filter} now={now} />}
      <Pages
        newest={cursor && placeOf(filter)}
        older={data?.next && placeOf({ ...filter, cursor: data.next })}
      />
    </>
  );
}

/** The filters that were chosen in a record, each to be left again. */
function ChosenFilters({ filter }: { filter: Filter }) {
  return (["actor", "action", "target"] as const).map((name) => {
    const { [name]: text, ...rest } = filter;
    return (
      text && (
        <Link
          key={name}
          href={placeOf(rest)}
          className="flex h-7 max-w-64 items-center gap-1.5 rounded-md border border-accent/60 bg-surface px-2 text-xs hover:border-accent"
        >
          <span className="sr-only">Without the filter</span>
          <span className="truncate">{name === "action" ? actionText(text) : text}</span>
          <span aria-hidden="true" className="text-muted">
            ×
          </span>
        </Link>
      )
    );
  });
}

function OutcomeFilter({ filter }: { filter: Filter }) {
  const go = useGo();
  const [chosen, choose] = useChosen(filter.outcome, (outcome) =>
    go(placeOf({ ...filter, outcome })),
  );
  return (
    <label className="flex items-center gap-2 text-muted text-xs">
      Outcome
      <select
        value={chosen ?? ""}
        onChange={(event) => choose((event.target.value || undefined) as RecordOutcome | undefined)}
        className="h-7 rounded-md border border-line bg-surface px-2 text-ink"
      >
        <option value="">All outcomes</option>
        {outcomes.map((each) => (
          <option key={each}>{each}</option>
        ))}
      </select>
    </label>
  );
}
