"use client";

import { useQuery } from "@tanstack/react-query";
import { useSearchParams } from "next/navigation";
import { useCallback, useEffect, useMemo, useState, useSyncExternalStore } from "react";
import { ProblemView } from "@/components/problem-view";
import { sessionWatch } from "@/lib/session-watch";
import { servicesQuery } from "@/lib/stack/queries";
import { useChosen } from "@/lib/use-chosen";
import { useTab } from "@/lib/use-tab";
import { Filters } from "./_components/filters";
import { Histogram } from "./_components/histogram";
import { LineList } from "./_components/line-list";
import { StatusBar } from "./_components/status-bar";
import { LogFeed } from "./feed";
import { filterQuery, isNarrowed, type LogState, parseState, writeState } from "./search-params";

/** What the containers write: what is stored and what comes, of any services, searched and filtered. */
export function LogsClient({ renderedAt }: { renderedAt: number }) {
  const params = useSearchParams();
  const inAddress = useMemo(() => parseState(new URLSearchParams(params)), [params]);
  const [state, choose] = useChosen(inAddress, go);
  const services = useQuery(servicesQuery(state.environment));
  // The same for as long as the screen is there: a line is drawn again only if it changes.
  const change = useCallback(
    (rest: Partial<LogState>) => {
      const latest = parseState(new URLSearchParams(window.location.search));
      choose({ ...latest, line: undefined, ...rest });
    },
    [choose],
  );
  useTab("Logs · zr", "unknown");
  return (
    <>
      <h1 className="mb-3 font-semibold text-xl tracking-tight">Logs</h1>
      <Filters
        state={state}
        names={services.data?.services.map(({ name }) => name) ?? []}
        onChange={change}
      />
      <Lines
        // Lines of other filters are other lines; how they are shown is not.
        key={String(filterQuery(state))}
        state={state}
        onChange={change}
        renderedAt={renderedAt}
      />
    </>
  );
}

/** The address changes without asking the server for the page again. */
function go(state: LogState) {
  window.history.pushState(null, "", writeState(state));
}

function Lines({
  state,
  onChange: change,
  renderedAt,
}: {
  state: LogState;
  onChange: (rest: Partial<LogState>) => void;
  renderedAt: number;
}) {
  // A feed is of the filters that it began with.
  const [feed] = useState(() => new LogFeed(state));
  useEffect(() => {
    void feed.start();
    const end = sessionWatch.onRenewed(() => feed.renew());
    return () => {
      end();
      feed.stop();
    };
  }, [feed]);
  const now = useSyncExternalStore(feed.subscribe, feed.snapshot, feed.snapshot);
  return (
    <>
      <Histogram state={state} onZoom={change} />
      {now.problem && (
        <div className="mb-4">
          <ProblemView
            problem={now.problem}
            note={note(now.problem.code)}
            onRetry={() => void feed.start()}
          />
        </div>
      )}
      <StatusBar feed={feed} now={now} state={state} onChange={change} />
      {now.status === "loading" && now.lines.length === 0 && !now.problem && (
        <p role="status" className="text-muted">
          Asking the api…
        </p>
      )}
      {now.lines.length > 0 && (
        <LineList feed={feed} now={now} state={state} onChange={change} renderedAt={renderedAt} />
      )}
      {now.lines.length === 0 && now.status !== "loading" && (
        <Nothing reading={now.older === "reading"} state={state} onChange={change} />
      )}
    </>
  );
}

function note(code: string): string {
  switch (code) {
    case "not_logged_in":
      return "Log lines may hold anything, so they are for people who are logged in.";
    case "bad_query":
      return "Change the filter above.";
    default:
      return "It is tried again by itself.";
  }
}

function Nothing({
  reading,
  state,
  onChange,
}: {
  reading: boolean;
  state: LogState;
  onChange: (rest: Partial<LogState>) => void;
}) {
  if (reading) {
    return <p role="status">Searching further back…</p>;
  }
  return (
    <div
      data-testid="no-lines"
      className="rounded-lg border border-line bg-surface py-10 text-center"
    >
      <p className="font-medium">
        {isNarrowed(state) ? "No line is like that" : "Nothing has been written yet"}
      </p>
      <p className="mt-1 text-muted text-xs">
        {state.to
          ? "Lines are kept for seven days."
          : "A line shows here as soon as it is written."}
      </p>
      {isNarrowed(state) && (
        <button
          type="button"
          className="mt-3 cursor-pointer text-accent underline underline-offset-4"
          onClick={() =>
            onChange({
              services: [],
              level: undefined,
              text: "",
              isRegexp: false,
              fields: [],
              from: undefined,
              to: undefined,
            })
          }
        >
          Show all lines
        </button>
      )}
    </div>
  );
}
