import type { ReactNode } from "react";
import { Link } from "@/components/link";
import { None } from "@/components/none";
import { Panel } from "@/components/panel";
import { dependentsOf } from "@/lib/actions/actions";
import { servicePath } from "@/lib/screens";
import type { Service } from "@/lib/stack/schema";
import { latency, span } from "@/lib/time";

/** What the service is and runs, with each figure in full, to be read and copied. */
export function Facts({
  service,
  services,
  now,
}: {
  service: Service;
  /** All of them, to tell which depend on this one. */
  services: Service[];
  now: number;
}) {
  const { kind, ready, desired, restarts, image, build, startedAt, measured } = service;
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
