import type { ReactNode } from "react";
import { HealthStrip } from "@/components/health-strip";
import { Link } from "@/components/link";
import { None } from "@/components/none";
import { Panel } from "@/components/panel";
import { healthScreenPath, servicePath } from "@/lib/screens";
import type { Service } from "@/lib/stack/schema";
import type { UptimeReport, Window } from "@/lib/stack/uptime";
import { percent, stripLabel, windowText } from "@/lib/stack/uptime-text";
import { latency } from "@/lib/time";
import { neededBy, needsOf } from "../causes";
import { LatencyChart } from "./latency-chart";

/** One service in fine steps: its states, its latencies, what it needs and what needs it. */
export function ServiceHealth({
  report,
  services,
  window,
}: {
  report: UptimeReport;
  services: Service[];
  window: Window;
}) {
  const { service, uptime, latency: asked, points } = report;
  const share = (value: number | undefined) => (value === undefined ? <None /> : percent(value));
  const answered = (value: number | undefined) => (value === undefined ? <None /> : latency(value));
  const figures: [string, ReactNode][] = [
    ["Healthy, 1 h", share(uptime.hour.uptime)],
    ["Healthy, 24 h", share(uptime.day.uptime)],
    ["Healthy, 7 d", share(uptime.week.uptime)],
    ["Half within", answered(asked.p50)],
    ["95 % within", answered(asked.p95)],
    ["99 % within", answered(asked.p99)],
    ["Asked", `${asked.asked} times`],
    ["Not answered", `${asked.unanswered} times`],
  ];
  return (
    <div className="grid gap-6">
      <Panel
        title={`${service} in the last ${windowText[window]}`}
        note={
          <Link
            href={servicePath(service)}
            className="text-accent underline-offset-4 hover:underline"
          >
            Its page
          </Link>
        }
      >
        <div data-testid="service-health" className="px-4 py-3">
          <HealthStrip
            steps
            points={points}
            label={stripLabel(report, window)}
            className="h-10 w-full"
          />
          <dl className="mt-3 grid grid-cols-2 gap-x-6 gap-y-2 sm:grid-cols-4">
            {figures.map(([name, value]) => (
              <div key={name}>
                <dt className="text-muted text-xs">{name}</dt>
                <dd>{value}</dd>
              </div>
            ))}
          </dl>
        </div>
      </Panel>
      <Panel title="Latency">
        <LatencyChart points={points} />
      </Panel>
      <Panel title="What depends on what">
        <dl className="divide-y divide-line">
          <Names title="It needs" names={[...needsOf(service, services)]} window={window} />
          <Names title="Needed by" names={neededBy(service, services)} window={window} />
        </dl>
      </Panel>
    </div>
  );
}

function Names({ title, names, window }: { title: string; names: string[]; window: Window }) {
  return (
    <div className="flex gap-4 px-4 py-2">
      <dt className="w-24 shrink-0 text-muted">{title}</dt>
      <dd className="flex min-w-0 flex-wrap gap-x-3">
        {names.length === 0 && <None />}
        {names.map((service) => (
          <Link
            key={service}
            href={healthScreenPath({ service, window })}
            className="wrap-anywhere text-accent underline-offset-4 hover:underline"
          >
            {service}
          </Link>
        ))}
      </dd>
    </div>
  );
}
