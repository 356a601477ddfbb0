"use client";

import { useGo } from "@/components/environment";
import { Link } from "@/components/link";
import { Panel } from "@/components/panel";
import { ProblemView } from "@/components/problem-view";
import { Skeleton } from "@/components/skeleton";
import type { Outcome } from "@/lib/problem";
import { healthScreenPath } from "@/lib/screens";
import { servicesQuery } from "@/lib/stack/queries";
import type { Services } from "@/lib/stack/schema";
import { summarize } from "@/lib/stack/summary";
import {
  type Outage,
  reportQuery,
  type Uptime,
  type UptimeReport,
  uptimeQuery,
  windows,
} from "@/lib/stack/uptime";
import { windowText } from "@/lib/stack/uptime-text";
import { useChosen } from "@/lib/use-chosen";
import { useNow } from "@/lib/use-now";
import { usePolled } from "@/lib/use-polled";
import { useTab } from "@/lib/use-tab";
import { Outages } from "./_components/outages";
import { ServiceHealth } from "./_components/service-health";
import { UptimeTable } from "./_components/uptime-table";
import type { HealthPart } from "./part";

interface Found {
  services: Outcome<Services>;
  uptime: Outcome<Uptime>;
  /** Of the one service that is looked at. */
  report: Outcome<UptimeReport> | undefined;
  /** When the server asked, in milliseconds since the epoch. */
  renderedAt: number;
}

/** How healthy the services were, all or one, over an hour, a day or a week. */
export function HealthClient({ part, ...initial }: { part: HealthPart } & Found) {
  const now = useNow(initial.renderedAt);
  const clock = { renderedAt: initial.renderedAt, now, paused: false };
  const services = usePolled(servicesQuery(part.environment), initial.services, clock);
  const uptime = usePolled(uptimeQuery(part), initial.uptime, clock);
  const known = services.freshness === "live" ? services.data : undefined;
  useTab("Health · zr", known ? summarize(known.services).state : "unknown");
  const running = services.data?.services ?? [];
  const { service } = part;
  return (
    <>
      <Head part={part} names={uptime.data?.services.map((each) => each.service) ?? []} />
      {uptime.problem && (
        <div className="mb-6">
          <ProblemView
            problem={uptime.problem}
            note={
              uptime.data
                ? "Below is what was known last. This page asks again by itself."
                : "This page asks again by itself."
            }
            onRetry={uptime.ask}
          />
        </div>
      )}
      {!uptime.data && !uptime.problem && <Skeleton />}
      {uptime.data && (
        <div className="grid gap-6">
          {service && initial.report ? (
            <One
              service={service}
              part={part}
              running={running}
              outages={uptime.data.outages}
              now={now}
              report={initial.report}
              renderedAt={initial.renderedAt}
            />
          ) : (
            <>
              <Panel title="Services">
                {uptime.data.services.length === 0 ? (
                  <p data-testid="no-past" className="px-4 py-3 text-muted text-xs">
                    Nothing was seen in the last seven days. A service is listed as soon as it runs.
                  </p>
                ) : (
                  <UptimeTable services={uptime.data.services} window={part.window} />
                )}
              </Panel>
              <Outages
                outages={uptime.data.outages}
                all={uptime.data.outages}
                services={running}
                now={now}
              />
            </>
          )}
        </div>
      )}
    </>
  );
}

function One({
  service,
  part,
  running,
  outages,
  now,
  ...initial
}: {
  service: string;
  part: HealthPart;
  running: Services["services"];
  /** The newest of all services: those of this one are in its report. */
  outages: Outage[];
  now: number;
  report: Outcome<UptimeReport>;
  renderedAt: number;
}) {
  const clock = { renderedAt: initial.renderedAt, now, paused: false };
  const { data, problem, ask } = usePolled(reportQuery(service, part), initial.report, clock);
  if (data) {
    return (
      <>
        <ServiceHealth report={data} services={running} window={part.window} />
        <Outages
          outages={data.outages.map((outage) => ({ ...outage, service }))}
          all={outages}
          services={running}
          now={now}
        />
      </>
    );
  }
  return problem ? (
    <ProblemView problem={problem} note="This page asks again by itself." onRetry={ask} />
  ) : (
    <Skeleton />
  );
}

function Head({ part, names }: { part: HealthPart; names: string[] }) {
  const go = useGo();
  const { service, window } = part;
  const [chosen, choose] = useChosen(service ?? "", (name) =>
    go(healthScreenPath({ window, service: name })),
  );
  const all = service && !names.includes(service) ? [service, ...names] : names;
  return (
    <div className="mb-6 flex flex-wrap items-center justify-between gap-3">
      <h1 className="font-semibold text-xl tracking-tight">Health</h1>
      <div className="flex flex-wrap items-center gap-3 text-xs">
        <label className="flex items-center gap-2 text-muted">
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
        <nav
          aria-label="How far back"
          className="flex overflow-hidden rounded-md border border-line bg-surface"
        >
          {windows.map((each) => (
            <Link
              key={each}
              href={healthScreenPath({ service: chosen, window: each })}
              aria-current={each === window ? "page" : undefined}
              className={`px-2.5 py-1 ${each === window ? "bg-canvas font-medium" : "text-muted hover:text-ink"}`}
            >
              {windowText[each]}
            </Link>
          ))}
        </nav>
      </div>
    </div>
  );
}
