"use client";

import { useGo } from "@/components/environment";
import { Pages } from "@/components/pages";
import { ProblemView } from "@/components/problem-view";
import { POLL_MS } from "@/lib/freshness";
import type { Outcome } from "@/lib/problem";
import { activityScreenPath } from "@/lib/screens";
import { useNow } from "@/lib/use-now";
import { usePolled } from "@/lib/use-polled";
import { useTab } from "@/lib/use-tab";
import { Records } from "./_components/records";
import { type ActivityPart, activityQuery } from "./query-options";
import { type Activity, outcomes } from "./schema";

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
  const { outcome, cursor } = part;
  return (
    <>
      <div className="mb-6 flex flex-wrap items-center justify-between gap-3">
        <h1 className="font-semibold text-xl tracking-tight">Activity</h1>
        <OutcomeFilter outcome={outcome} />
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
      {data && <Records records={data.records} now={now} />}
      <Pages
        newest={cursor && activityScreenPath({ outcome })}
        older={data?.next && activityScreenPath({ outcome, cursor: data.next })}
      />
    </>
  );
}

function OutcomeFilter({ outcome }: { outcome: string | undefined }) {
  const go = useGo();
  return (
    <label className="flex items-center gap-2 text-muted text-xs">
      Outcome
      <select
        value={outcome ?? ""}
        onChange={(event) => go(activityScreenPath({ outcome: event.target.value }))}
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
