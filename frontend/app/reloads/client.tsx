"use client";

import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect } from "react";
import { Pages } from "@/components/pages";
import { ProblemView } from "@/components/problem-view";
import { Skeleton } from "@/components/skeleton";
import type { Feed } from "@/lib/dev/feed";
import { attachedQuery, eventsQuery, metricsQuery } from "@/lib/dev/queries";
import { runsOf } from "@/lib/dev/runs";
import {
  type Attached as AttachedRun,
  type AttachedRuns,
  type Delivery,
  ofType,
  type RunEvents,
} from "@/lib/dev/schema";
import { merged, useDevFeed } from "@/lib/dev/use-feed";
import type { Outcome, Problem } from "@/lib/problem";
import { reloadsScreenPath } from "@/lib/screens";
import { useNow } from "@/lib/use-now";
import { usePolled } from "@/lib/use-polled";
import { useTab } from "@/lib/use-tab";
import { Attached } from "./_components/attached";
import { Filters } from "./_components/filters";
import { Metrics } from "./_components/metrics";
import { Problems } from "./_components/problems";
import { Runs } from "./_components/runs";
import { Saves } from "./_components/saves";
import { faultsOf, type ReloadsPart, savesOf, stepsOf } from "./part";
import { standing } from "./standing";

interface Found {
  attached: Outcome<AttachedRuns>;
  saves: Outcome<RunEvents>;
  metrics: Outcome<Delivery>;
  /** When the server asked, in milliseconds since the epoch. */
  renderedAt: number;
}

/** What zr does: who is attached, every save as it becomes live, and how that went over time. */
export function ReloadsClient({ part, ...initial }: { part: ReloadsPart } & Found) {
  const { environment, service, failed, window, cursor } = part;
  const now = useNow(initial.renderedAt);
  const clock = { renderedAt: initial.renderedAt, now, paused: false };
  const feed = useDevFeed(environment);
  const attached = usePolled(
    { ...attachedQuery(environment), ...(feed.status === "live" && { refetchInterval: false }) },
    initial.attached,
    clock,
  );
  const saves = usePolled(eventsQuery(savesOf(part)), initial.saves, clock);
  const metrics = usePolled(metricsQuery(part), initial.metrics, clock);
  useFreshMetrics(feed);

  const came = cursor ? [] : ofType("reload", feed.events);
  const list = merged(came, ofType("reload", saves.data?.events ?? [])).filter(
    ({ data }) => (!service || data.service === service) && (!failed || data.error !== ""),
  );
  const runs = attached.data?.attached ?? [];
  const busy = runs.some(({ now }) => now.length > 0);
  useTab(`${busy ? "Working… · " : ""}Reloads · zr`, busy ? "starting" : "unknown");
  return (
    <>
      <Filters part={part} feed={feed.status} names={[...new Set(list.map((e) => e.service))]} />
      {saves.problem && (
        <div className="mb-6">
          <ProblemView
            problem={saves.problem}
            note={noteOf(saves.problem, saves.data !== undefined)}
            onRetry={() => {
              saves.ask();
              attached.ask();
              metrics.ask();
            }}
          />
        </div>
      )}
      {!saves.data && !saves.problem && <Skeleton />}
      <div className="grid items-start gap-6 xl:grid-cols-[minmax(0,1fr)_22rem]">
        <div className="grid min-w-0 gap-6">
          {attached.data && <Attached runs={runs} environment={environment} now={now} />}
          {saves.data && (
            <>
              <Standing attached={runs} feed={feed} environment={environment} />
              <Saves
                saves={list}
                going={
                  cursor
                    ? []
                    : runs.flatMap(goingOf).filter(({ what }) => !service || what === service)
                }
                narrowed={Boolean(service || failed || cursor)}
                now={now}
              />
              <Pages
                newest={cursor && reloadsScreenPath({ service, failed, window: windowIn(part) })}
                older={
                  saves.data.next &&
                  reloadsScreenPath({
                    service,
                    failed,
                    window: windowIn(part),
                    cursor: saves.data.next,
                  })
                }
              />
              {!cursor && (
                <BroughtUp attached={runs} feed={feed} environment={environment} now={now} />
              )}
            </>
          )}
        </div>
        {metrics.data && <Metrics delivery={metrics.data} window={window} />}
      </div>
    </>
  );
}

/** The window of an address that says one. */
function windowIn({ window }: ReloadsPart): string | undefined {
  return window === "24h" ? undefined : window;
}

/** What services are made live with now. */
function goingOf({ now }: AttachedRun) {
  return now.filter(({ state }) => state !== "running");
}

function noteOf(problem: Problem, known: boolean): string {
  if (problem.code === "not_logged_in") {
    return "What zr tells has names, paths and lines of source in it.";
  }
  return known
    ? "Below is what was known last. This page asks again by itself."
    : "Saves are kept in the database of the api. This page asks again by itself.";
}

/** Has the metrics read anew when something has ended. */
function useFreshMetrics({ events }: Feed) {
  const client = useQueryClient();
  const ended = events.filter(({ type }) => ["reload", "ready", "error"].includes(type)).length;
  useEffect(() => {
    if (ended > 0) {
      void client.invalidateQueries({ queryKey: ["dev-metrics"] });
    }
  }, [client, ended]);
}

interface Beside {
  attached: AttachedRun[];
  feed: Feed;
  environment: string | undefined;
}

/** The faults that stand: there are some only while somebody is attached. */
function Standing({ attached, feed, environment }: Beside) {
  const { data } = useQuery(eventsQuery(faultsOf(environment)));
  const told = ofType("problem", merged(feed.events, data?.events ?? []));
  return <Problems problems={standing(told, attached)} />;
}

function BroughtUp({ attached, feed, environment, now }: Beside & { now: number }) {
  const { data } = useQuery(eventsQuery(stepsOf(environment)));
  const runs = runsOf(merged(feed.events, data?.events ?? []));
  return data && <Runs runs={runs} attached={attached} now={now} />;
}
