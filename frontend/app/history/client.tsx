"use client";

import { ChangePanel } from "@/components/change-panel";
import { useGo } from "@/components/environment";
import { Pages } from "@/components/pages";
import { ProblemView } from "@/components/problem-view";
import { POLL_MS } from "@/lib/freshness";
import type { Outcome } from "@/lib/problem";
import { historyScreenPath } from "@/lib/screens";
import { type HistoryPart, historyQuery, servicesQuery } from "@/lib/stack/queries";
import type { History, Services } from "@/lib/stack/schema";
import { summarize } from "@/lib/stack/summary";
import { useChosen } from "@/lib/use-chosen";
import { useNow } from "@/lib/use-now";
import { usePolled } from "@/lib/use-polled";
import { useTab } from "@/lib/use-tab";

/** Every change that the api has kept, a page at a time. */
export function HistoryClient({
  part,
  ...initial
}: {
  part: HistoryPart;
  services: Outcome<Services>;
  history: Outcome<History>;
  /** When the server asked, in milliseconds since the epoch. */
  renderedAt: number;
}) {
  const now = useNow(initial.renderedAt);
  const clock = { renderedAt: initial.renderedAt, now, paused: false };
  const services = usePolled(servicesQuery(part.environment), initial.services, clock);
  const history = usePolled(historyQuery(part), initial.history, clock);
  const known = services.freshness === "live" ? services.data : undefined;
  useTab("History · zr", known ? summarize(known.services).state : "unknown");
  const { service, cursor } = part;
  const next = history.data?.next;
  return (
    <>
      <div className="mb-6 flex flex-wrap items-center justify-between gap-3">
        <h1 className="font-semibold text-xl tracking-tight">History</h1>
        <ServiceFilter
          service={service}
          names={services.data?.services.map(({ name }) => name) ?? []}
        />
      </div>
      {history.data ? (
        <ChangePanel
          title={service ? `Changes of ${service}` : "Changes of all services"}
          changes={history.data.events}
          problem={history.freshness === "live" ? undefined : history.problem}
          now={now}
        />
      ) : (
        history.problem && (
          <ProblemView
            problem={history.problem}
            note={`This page asks again every ${POLL_MS / 1000} s.`}
            onRetry={history.ask}
          />
        )
      )}
      <Pages
        newest={cursor && historyScreenPath({ service })}
        older={next && historyScreenPath({ service, cursor: next })}
      />
    </>
  );
}

/** Chooses the services whose changes are shown; one that is gone still has its history. */
function ServiceFilter({ service, names }: { service: string | undefined; names: string[] }) {
  const go = useGo();
  const [chosen, choose] = useChosen(service ?? "", (name) =>
    go(historyScreenPath({ service: name })),
  );
  const all = service && !names.includes(service) ? [service, ...names] : names;
  return (
    <label className="flex items-center gap-2 text-muted text-xs">
      Service
      <select
        value={chosen}
        onChange={(event) => choose(event.target.value)}
        className="h-7 max-w-56 rounded-md border border-line bg-surface px-2 text-ink"
      >
        <option value="">All services</option>
        {all.map((name) => (
          <option key={name}>{name}</option>
        ))}
      </select>
    </label>
  );
}
