"use client";

import { useQuery } from "@tanstack/react-query";
import { useSearchParams } from "next/navigation";
import { useState } from "react";
import { ChangePanel } from "@/components/change-panel";
import { KubernetesNotice } from "@/components/kubernetes-notice";
import { LiveControl } from "@/components/live-control";
import { Panel } from "@/components/panel";
import { ProblemView } from "@/components/problem-view";
import { Skeleton } from "@/components/skeleton";
import { POLL_MS } from "@/lib/freshness";
import type { Outcome } from "@/lib/problem";
import { historyScreenPath } from "@/lib/screens";
import { placed, useSnapshot } from "@/lib/snapshot/context";
import { overviewQuery } from "@/lib/stack/overview";
import { historyQuery } from "@/lib/stack/queries";
import type { History, Services } from "@/lib/stack/schema";
import { summarize } from "@/lib/stack/summary";
import { uptimeQuery } from "@/lib/stack/uptime";
import { useServices } from "@/lib/stack/use-services";
import { useChosen } from "@/lib/use-chosen";
import { useNow } from "@/lib/use-now";
import { usePolled } from "@/lib/use-polled";
import { useTab } from "@/lib/use-tab";
import { withQuery } from "@/lib/with-query";
import { DevLine } from "./_components/dev-line";
import { Empty } from "./_components/empty";
import { Overview } from "./_components/overview";
import { OverviewNote } from "./_components/overview-note";
import { ServiceGraph } from "./_components/service-graph";
import { ServiceTable } from "./_components/service-table";
import { ViewSwitch } from "./_components/view-switch";
import { recentChanges } from "./recent-changes";
import { type OverviewState, parseState, statePath } from "./search-params";

const TRYING = `This page asks again every ${POLL_MS / 1000} s.`;

/** The services and their health: as the server found them, then as they change. */
export function ServicesClient({
  environment,
  loggedIn,
  ...initial
}: {
  environment?: string;
  loggedIn: boolean;
  services: Outcome<Services>;
  history: Outcome<History>;
  /** When the server asked, in milliseconds since the epoch. */
  renderedAt: number;
}) {
  const [paused, setPaused] = useState(false);
  const params = useSearchParams();
  const snapshot = useSnapshot();
  /** The address changes without asking the server for the page again. */
  const go = (state: OverviewState) =>
    window.history.pushState(
      null,
      "",
      withQuery(placed(statePath(state), snapshot), { environment }),
    );
  const [{ view, service }, choose] = useChosen(
    parseState(new URLSearchParams(params ?? undefined)),
    go,
  );
  const now = useNow(initial.renderedAt);
  const clock = { renderedAt: initial.renderedAt, now, paused };
  const services = useServices(environment, initial.services, clock);
  const history = usePolled(historyQuery(recentChanges(environment)), initial.history, clock);
  // What is not there with the first paint may come a moment later.
  const past = useQuery({
    ...uptimeQuery({ environment, window: "1h" }),
    ...(paused && { refetchInterval: false }),
  });
  const overview = useQuery({
    ...overviewQuery(environment),
    enabled: loggedIn,
    ...(paused && { refetchInterval: false }),
  });
  const summary =
    services.data && services.freshness === "live" ? summarize(services.data.services) : undefined;
  useTab(summary ? `${summary.text} · zr` : "zr", summary?.state ?? "unknown");

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
      {known && loggedIn && <DevLine environment={environment} now={now} />}
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
      <div className="grid items-start gap-6 2xl:grid-cols-[minmax(0,1fr)_21rem]">
        <Panel
          title={known ? "Services" : "Services as they were"}
          note={
            <>
              <span className="mr-3 font-mono">{namespace}</span>
              <ViewSwitch view={view} onChange={(view) => choose({ view })} />
            </>
          }
        >
          {list.length === 0 && <Empty />}
          {list.length > 0 && view === "table" && (
            <>
              <ServiceTable
                services={list}
                past={past.data?.services}
                // What was asked for in vain is not what is.
                overview={overview.error ? undefined : overview.data?.services}
                now={now}
                known={known}
              />
              {known && <OverviewNote loggedIn={loggedIn} {...overview} />}
            </>
          )}
          {list.length > 0 && view === "graph" && (
            <ServiceGraph
              services={list}
              service={service}
              known={known}
              onChoose={(service) => choose({ view, service })}
            />
          )}
        </Panel>
        <ChangePanel
          title="Recent changes"
          more={historyScreenPath({})}
          changes={history.data?.events}
          // Where nothing can be read, that is said once.
          problem={known && history.freshness !== "live" ? history.problem : undefined}
          now={now}
        />
      </div>
    </>
  );
}
