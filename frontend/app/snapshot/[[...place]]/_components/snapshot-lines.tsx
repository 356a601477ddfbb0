"use client";

import { useSearchParams } from "next/navigation";
import { useMemo } from "react";
import { Filters } from "@/app/logs/_components/filters";
import { Bars } from "@/app/logs/_components/histogram";
import { LineList } from "@/app/logs/_components/line-list";
import { asJSON, asText } from "@/app/logs/line-text";
import type { Line } from "@/app/logs/schema";
import { type LogState, parseState, writeState } from "@/app/logs/search-params";
import { CopyButton } from "@/components/copy-button";
import { ProblemView } from "@/components/problem-view";
import type { Outcome } from "@/lib/problem";
import { placed } from "@/lib/snapshot/context";
import type { Snapshot } from "@/lib/snapshot/snapshot";
import type { Services } from "@/lib/stack/schema";
import { useChosen } from "@/lib/use-chosen";
import { useTab } from "@/lib/use-tab";
import { barsIn, linesIn } from "../lines";
import { useFound } from "../use-found";

const NO_LINES: Line[] = [];

/** What a file has no end of, and nothing comes to. */
const still = { loadOlder: noMore, loadNewer: noMore, pause: noMore, resume: noMore };

async function noMore(): Promise<void> {}

/** The lines of a snapshot: those of an address, as the logs show them. */
export function SnapshotLines({
  snapshot,
  services,
}: {
  snapshot: Snapshot;
  services: Outcome<Services>;
}) {
  const params = useSearchParams();
  const inAddress = useMemo(() => parseState(new URLSearchParams(params)), [params]);
  const [state, choose] = useChosen(inAddress, (next: LogState) =>
    window.history.pushState(null, "", placed(writeState(next), snapshot)),
  );
  const all = useMemo(() => linesIn(snapshot), [snapshot]);
  const { lines, asking, why } = useFound(all.ok ? all.data : NO_LINES, state);
  const bars = useMemo(
    () => (all.ok ? barsIn(all.data, state, snapshot.takenAt) : []),
    [all, state, snapshot],
  );
  const change = (rest: Partial<LogState>) =>
    choose({ ...state, environment: undefined, line: undefined, ...rest });
  useTab("Logs · zr", "unknown");
  const feed = {
    lines,
    status: "past",
    held: 0,
    paused: false,
    older: "none",
    newer: "none",
    prepended: 0,
    received: 0,
  } as const;
  return (
    <>
      <h1 className="mb-3 font-semibold text-xl tracking-tight">Logs</h1>
      {!all.ok && <ProblemView problem={all.problem} note="" onRetry={() => {}} />}
      {all.ok && (
        <>
          <Filters
            state={state}
            names={services.ok ? services.data.services.map(({ name }) => name) : []}
            onChange={change}
          />
          <Bars
            // Bars of another time are other bars.
            key={`${state.from} ${state.to}`}
            bars={bars}
            onZoom={change}
          />
          <div className="mb-2 flex flex-wrap items-center gap-x-3 gap-y-2 text-xs">
            <p data-testid="lines-of-snapshot" className="text-muted">
              {lines.length.toLocaleString("en")} of the {all.data.length.toLocaleString("en")}{" "}
              newest lines
            </p>
            <span className="ml-auto flex flex-wrap gap-2">
              <CopyButton label="Copy" text={() => `${lines.map(asText).join("\n")}\n`} />
              <CopyButton label="Copy as JSON" text={() => `${lines.map(asJSON).join("\n")}\n`} />
            </span>
          </div>
          {lines.length === 0 ? (
            <p
              data-testid={asking ? "searching" : "no-lines"}
              role="status"
              className="wrap-anywhere rounded-lg border border-line bg-surface px-4 py-10 text-center"
            >
              {asking && "Searching…"}
              {!asking && (why ?? "No line of it is like that")}
            </p>
          ) : (
            <LineList
              // Lines of other filters are other lines.
              key={writeState(state)}
              feed={still}
              now={feed}
              state={state}
              onChange={change}
              renderedAt={snapshot.takenAt}
            />
          )}
        </>
      )}
    </>
  );
}
