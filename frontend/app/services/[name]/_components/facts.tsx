import type { ReactNode } from "react";
import { Link } from "@/components/link";
import { None } from "@/components/none";
import { Panel } from "@/components/panel";
import { dependentsOf } from "@/lib/actions/actions";
import { servicePath } from "@/lib/screens";
import type { LastChange, ServiceOverview, Use } from "@/lib/stack/overview";
import {
  coresText,
  doneText,
  measuredText,
  memoryText,
  ofLimit,
  scaledText,
  whoText,
} from "@/lib/stack/overview-text";
import type { Service } from "@/lib/stack/schema";
import { ago, latency, span } from "@/lib/time";

/** What the service is and runs, with each figure in full, to be read and copied. */
export function Facts({
  service,
  services,
  overview,
  now,
}: {
  service: Service;
  /** All of them, to tell which depend on this one. */
  services: Service[];
  /** What it uses and what changed it last; undefined where that is not known. */
  overview: ServiceOverview | undefined;
  now: number;
}) {
  const { kind, ready, desired, restarts, image, build, startedAt, measured } = service;
  const use = overview?.use?.measured ? overview.use : undefined;
  const facts: [string, ReactNode][] = [
    ["Kind", kind || "Not seen by Kubernetes"],
    ["Ready pods", kind && `${ready} of ${desired}`],
    ["Restarts", restarts],
    [
      "Up",
      startedAt && (
        <time dateTime={startedAt} title={startedAt}>
          {span(now - Date.parse(startedAt))}
        </time>
      ),
    ],
    ["Latency", measured?.latencyMs ? latency(measured.latencyMs) : ""],
    ["CPU", use && used(use, ofLimit(coresText, use.cpuCores, use.cpuCoresLimit))],
    ["Memory", use && used(use, ofLimit(memoryText, use.memoryBytes, use.memoryBytesLimit))],
    ["Last change", overview?.lastChange && <Changed change={overview.lastChange} now={now} />],
    ["Build", build && <Code>{build}</Code>],
    ["Image", image && <Code>{image}</Code>],
    ["Depends on", <Names key="needs" names={service.dependsOn} />],
    ["Needed by", <Names key="needed" names={dependentsOf(service.name, services)} />],
  ];
  return (
    <Panel title="Facts">
      <dl className="divide-y divide-line">
        {facts.map(([name, value]) => (
          <div key={name} className="flex gap-4 px-4 py-2">
            <dt className="w-24 shrink-0 text-muted">{name}</dt>
            <dd className="wrap-anywhere min-w-0">
              {value === "" ? <None /> : (value ?? <None />)}
            </dd>
          </div>
        ))}
      </dl>
    </Panel>
  );
}

/** A figure, and what it is of where that is not all that runs. */
function used(use: Use, figure: string): string {
  return [figure, measuredText(use)].filter(Boolean).join(", ");
}

function Changed({ change, now }: { change: LastChange; now: number }) {
  const scaled = scaledText(change);
  return (
    <>
      {[doneText(change), whoText(change)].filter(Boolean).join(" ")},{" "}
      <time dateTime={change.at} title={change.at}>
        {ago(now - Date.parse(change.at))}
      </time>
      {scaled && <span className="block text-muted text-xs">{scaled}</span>}
    </>
  );
}

function Code({ children }: { children: string }) {
  return <code className="select-all font-mono text-xs">{children}</code>;
}

/** Services, each a link to its page. */
function Names({ names }: { names: string[] }) {
  if (names.length === 0) {
    return <None />;
  }
  return (
    <span className="flex flex-wrap gap-x-3">
      {names.map((name) => (
        <Link
          key={name}
          href={servicePath(name)}
          className="text-accent underline-offset-4 hover:underline"
        >
          {name}
        </Link>
      ))}
    </span>
  );
}
