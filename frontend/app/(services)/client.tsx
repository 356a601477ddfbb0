"use client";

import { type UseQueryOptions, useQuery } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { Panel } from "@/components/panel";
import { ProblemView } from "@/components/problem-view";
import { freshness, POLL_MS } from "@/lib/freshness";
import type { Outcome, Problem } from "@/lib/problem";
import { useNow } from "@/lib/use-now";
import { Empty } from "./_components/empty";
import { HistoryPanel } from "./_components/history-panel";
import { LiveControl } from "./_components/live-control";
import { Overview } from "./_components/overview";
import { ServiceTable } from "./_components/service-table";
import { Skeleton } from "./_components/skeleton";
import { summarize } from "./_components/summary";
import { historyQuery, servicesQuery } from "./query-options";
import type { History, Services } from "./schema";

const TRYING = `This page asks again every ${POLL_MS / 1000} s.`;

/** The services and their health: as the server found them, then as they change. */
export function ServicesClient(initial: {
  services: Outcome<Services>;
  history: Outcome<History>;
  /** When the server asked, in milliseconds since the epoch. */
  renderedAt: number;
}) {
  const [paused, setPaused] = useState(false);
  const services = usePolled(servicesQuery, initial.services, initial.renderedAt, paused);
  const history = usePolled(historyQuery, initial.history, initial.renderedAt, paused);
  const now = useNow(initial.renderedAt);
  const fresh = freshness({ updatedAt: services.updatedAt, now, paused });
  useTitle(services.data, fresh === "live");

  if (!services.data) {
    return services.problem ? (
      <ProblemView problem={services.problem} note={TRYING} onRetry={services.retry} />
    ) : (
      <Skeleton />
    );
  }
  const list = services.data.services;
  return (
    <>
      <div className="mb-6 flex flex-wrap items-start justify-between gap-x-6 gap-y-3">
        <Overview services={list} />
        <LiveControl
          freshness={fresh}
          updatedAt={services.updatedAt}
          now={now}
          paused={paused}
          onToggle={() => setPaused(!paused)}
        />
      </div>
      {fresh === "stale" && services.problem && (
        <div className="mb-6">
          <ProblemView
            problem={services.problem}
            note={`Below is what was known last. ${TRYING}`}
            onRetry={services.retry}
          />
        </div>
      )}
      <div className="grid items-start gap-6 xl:grid-cols-[minmax(0,1fr)_21rem]">
        <Panel title="Services">
          {list.length === 0 ? (
            <Empty />
          ) : (
            <ServiceTable services={list} now={now} stale={fresh === "stale"} />
          )}
        </Panel>
        <HistoryPanel changes={history.data?.events} problem={history.problem} now={now} />
      </div>
    </>
  );
}

/**
 * Follows a query from what the server found. The last good data stays when a
 * poll fails; the problem says that it did.
 */
function usePolled<T>(
  options: UseQueryOptions<T, Problem>,
  initial: Outcome<T>,
  renderedAt: number,
  paused: boolean,
) {
  const { data, error, dataUpdatedAt, refetch } = useQuery({
    ...options,
    ...(initial.ok && { initialData: initial.data, initialDataUpdatedAt: renderedAt }),
    ...(paused && { refetchInterval: false, refetchOnWindowFocus: false }),
  });
  const atFirst = data === undefined && !initial.ok ? initial.problem : undefined;
  return {
    data,
    problem: error ?? atFirst,
    updatedAt: data === undefined ? undefined : dataUpdatedAt,
    retry: () => void refetch(),
  };
}

/** The tab says how the stack is, so that it can be kept in the background. */
function useTitle(data: Services | undefined, live: boolean) {
  const title = data && live ? `${summarize(data.services).text} · zr` : "zr";
  useEffect(() => {
    document.title = title;
  }, [title]);
}
