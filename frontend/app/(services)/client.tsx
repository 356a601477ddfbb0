"use client";

import { useEffect, useState } from "react";
import { Panel } from "@/components/panel";
import { ProblemView } from "@/components/problem-view";
import { POLL_MS } from "@/lib/freshness";
import type { Outcome } from "@/lib/problem";
import { useNow } from "@/lib/use-now";
import { usePolled } from "@/lib/use-polled";
import { Empty } from "./_components/empty";
import { HistoryPanel } from "./_components/history-panel";
import { KubernetesNotice } from "./_components/kubernetes-notice";
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
  const now = useNow(initial.renderedAt);
  const clock = { renderedAt: initial.renderedAt, now, paused };
  const services = usePolled(servicesQuery, initial.services, clock);
  const history = usePolled(historyQuery, initial.history, clock);
  useTitle(services.data, services.freshness === "live");

  function togglePaused() {
    setPaused(!paused);
    if (paused) {
      services.ask();
      history.ask();
    }
  }

  if (!services.data) {
    return services.problem ? (
      <ProblemView alone problem={services.problem} note={TRYING} onRetry={services.ask} />
    ) : (
      <Skeleton />
    );
  }
  const { services: list, kubernetes, namespace } = services.data;
  const known = services.freshness !== "stale";
  return (
    <>
      <div className="mb-6 flex flex-wrap items-start justify-between gap-x-6 gap-y-3">
        <Overview services={list} known={known} />
        <LiveControl
          freshness={services.freshness}
          updatedAt={services.updatedAt}
          now={now}
          paused={paused}
          onToggle={togglePaused}
        />
      </div>
      {!known && services.problem && (
        <div className="mb-6">
          <ProblemView
            problem={services.problem}
            note={`Below is what was known last. ${TRYING}`}
            onRetry={services.ask}
          />
        </div>
      )}
      {known && kubernetes.status === "down" && <KubernetesNotice reason={kubernetes.reason} />}
      <div className="grid items-start gap-6 xl:grid-cols-[minmax(0,1fr)_21rem]">
        <Panel title={known ? "Services" : "Services as they were"} note={namespace}>
          {list.length === 0 ? <Empty /> : <ServiceTable services={list} now={now} known={known} />}
        </Panel>
        <HistoryPanel
          changes={history.data?.events}
          // Where nothing can be read, that is said once.
          problem={known && history.freshness !== "live" ? history.problem : undefined}
          now={now}
        />
      </div>
    </>
  );
}

/** The tab says how the stack is, so that it can be kept in the background. */
function useTitle(data: Services | undefined, live: boolean) {
  const title = data && live ? `${summarize(data.services).text} · zr` : "zr";
  useEffect(() => {
    document.title = title;
  }, [title]);
}
