import { Link } from "@/components/link";
import { Panel } from "@/components/panel";
import { stateLook } from "@/components/state";
import { servicePath } from "@/lib/screens";
import { reasonText } from "@/lib/stack/reason-text";
import type { Service } from "@/lib/stack/schema";
import { MOST_OUTAGES, type Outage } from "@/lib/stack/uptime";
import { endText } from "@/lib/stack/uptime-text";
import { ago, span } from "@/lib/time";
import { listed } from "@/lib/words";
import { awayMeanwhile, neededBy } from "../causes";

/** Outages, the newest first: why, how long, what they took along and what took them. */
export function Outages({
  outages,
  all,
  services,
  now,
}: {
  outages: Outage[];
  /** Those of all services, to tell what was away together. */
  all: Outage[];
  services: Service[];
  now: number;
}) {
  return (
    <Panel
      title="Outages"
      note={outages.length >= MOST_OUTAGES && `the newest ${MOST_OUTAGES} of this time`}
    >
      {outages.length === 0 ? (
        <p data-testid="no-outage" className="px-4 py-3 text-muted text-xs">
          None in this time. A service that was to run and was not healthy is listed here.
        </p>
      ) : (
        <ol data-testid="outages" className="divide-y divide-line">
          {outages.map((outage) => (
            <OutageItem
              key={`${outage.service} ${outage.from}`}
              outage={outage}
              needed={neededBy(outage.service, services)}
              away={awayMeanwhile(outage, all, services)}
              now={now}
            />
          ))}
        </ol>
      )}
    </Panel>
  );
}

function OutageItem({
  outage,
  needed,
  away,
  now,
}: {
  outage: Outage;
  needed: string[];
  away: string[];
  now: number;
}) {
  const { service, from, seconds, reason, message, end } = outage;
  const lasting = end === "lasting";
  const { Icon, color } = stateLook[lasting ? "unhealthy" : "healthy"];
  return (
    <li data-end={end} className="flex gap-2.5 px-4 py-2.5">
      <Icon className={`mt-0.5 ${lasting ? color : "text-muted"}`} />
      <div className="min-w-0 flex-1">
        <p className="flex flex-wrap items-baseline gap-x-2">
          <Link
            href={servicePath(service)}
            className="wrap-anywhere font-medium underline-offset-4 hover:underline"
          >
            {service}
          </Link>
          <span className="text-muted text-xs">
            for {span(seconds * 1_000)}, {endText[end]}
          </span>
          <time dateTime={from} title={from} className="ml-auto shrink-0 text-muted text-xs">
            {ago(now - Date.parse(from))}
          </time>
        </p>
        <p className="wrap-anywhere text-xs">
          {reason && <strong className="font-semibold">{reasonText(reason)}</strong>}
          {reason && message && " · "}
          {message}
        </p>
        {away.length > 0 && (
          <p className="text-muted text-xs">
            It needs {listed(away)}, which {away.length === 1 ? "was" : "were"} away as well.
          </p>
        )}
        {needed.length > 0 && (
          <p className="text-muted text-xs">
            {listed(needed)} {needed.length === 1 ? "needs" : "need"} it.
          </p>
        )}
      </div>
    </li>
  );
}
