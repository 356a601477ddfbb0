"use client";

import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { useEnvironment } from "@/components/environment";
import { None } from "@/components/none";
import { Panel } from "@/components/panel";
import { Unread } from "@/components/unread";
import type { Problem } from "@/lib/problem";
import { coresText, memoryText } from "@/lib/stack/overview-text";
import { ago, latency } from "@/lib/time";
import type {
  Answer,
  Container,
  ContainerStatus,
  Details as DetailsData,
  PodDetails,
  Variable,
} from "../details";
import { detailsQuery } from "../queries";

const notLoggedIn: Problem = {
  code: "not_logged_in",
  message: "Containers and their variables are shown to viewers and operators.",
};

/** What a service is made of: what its pods use and answer, its containers, their ports, probes and variables. */
export function Details({
  service,
  loggedIn,
  now,
}: {
  service: string;
  /** Whether it is worth while to ask: to be refused is a fault in the console of the browser. */
  loggedIn: boolean;
  now: number;
}) {
  const query = detailsQuery(service, useEnvironment());
  const { data, error } = useQuery({ ...query, enabled: loggedIn });
  if (!data) {
    return (
      <Panel title="Containers">
        <Unread problem={loggedIn ? error : notLoggedIn} />
      </Panel>
    );
  }
  return (
    <>
      <Panel title="Use and answers" note={data.rolledOutAt && `rolled out ${since(data, now)}`}>
        <ul data-testid="usage" className="divide-y divide-line">
          {data.pods.map((pod) => (
            <PodUse key={pod.name} pod={pod} now={now} />
          ))}
        </ul>
        {data.usageWhy && (
          <p className="border-line border-t px-4 py-2 text-muted text-xs">
            CPU and memory are not known: {data.usageWhy}
          </p>
        )}
      </Panel>
      {data.containers.map((container) => (
        <ContainerPanel
          key={container.name}
          container={container}
          // They lead to pods, and so to the containers that stay.
          led={container.init ? [] : data.ports}
        />
      ))}
    </>
  );
}

function since({ rolledOutAt }: DetailsData, now: number): string {
  return rolledOutAt ? ago(now - Date.parse(rolledOutAt)) : "";
}

function PodUse({ pod, now }: { pod: PodDetails; now: number }) {
  return (
    <li className="px-4 py-2.5 text-xs">
      <p className="flex flex-wrap justify-between gap-x-4">
        <span className="wrap-anywhere font-mono">{pod.name}</span>
        <span className="text-muted">
          {[pod.node && `on ${pod.node}`, pod.address].filter(Boolean).join(" · ")}
        </span>
      </p>
      <p data-testid="answer" data-by={pod.answer.by} className="mt-1 wrap-anywhere text-muted">
        {answerText(pod.answer, now)}
      </p>
      <ul className="mt-1">
        {pod.containers.map((container) => (
          <li key={container.name} className="flex flex-wrap gap-x-3">
            <span className="wrap-anywhere font-medium">{container.name}</span>
            <span className="text-muted">{stateText(container, now)}</span>
          </li>
        ))}
      </ul>
    </li>
  );
}

/** "ready: 200 OK to GET :8080/health in 0.8 ms, 3 s ago". */
function answerText(answer: Answer, now: number): string {
  const { by, status, asks, text, latencyMs, at, why } = answer;
  if (by === "kubelet") {
    return `${status}, says the kubelet${why ? `: ${why}` : ""}`;
  }
  return [
    `${status}: ${text || "no answer"}`,
    asks && `to ${asks}`,
    latencyMs !== undefined && `in ${latency(latencyMs)}`,
    at && `, ${ago(now - Date.parse(at))}`,
  ]
    .filter(Boolean)
    .join(" ")
    .replace(" ,", ",");
}

function stateText(status: ContainerStatus, now: number): string {
  const { state, ready, reason, restarts, lastEnd, cpuCores, memoryBytes } = status;
  return [
    state === "running" ? `running, ${ready ? "ready" : "not ready"}` : state,
    reason,
    cpuCores !== undefined && coresText(cpuCores),
    memoryBytes !== undefined && memoryText(memoryBytes),
    restarts > 0 && `${restarts} ${restarts === 1 ? "restart" : "restarts"}`,
    lastEnd &&
      `ended before with ${lastEnd.exitCode}, ${lastEnd.reason}, ${ago(now - Date.parse(lastEnd.at))}`,
  ]
    .filter(Boolean)
    .join(" · ");
}

function ContainerPanel({
  container: { name, init, image, ports, probes, env, requests, limits },
  led,
}: {
  container: Container;
  led: DetailsData["ports"];
}) {
  const leading = led.map((port) => `${port.service}:${port.number}`);
  const rows: [string, ReactNode][] = [
    ["Image", <Code key="image">{image}</Code>],
    [
      "Ports",
      ports.length > 0
        ? ports.map((port) => `${port.number}${port.name ? ` (${port.name})` : ""}`).join(", ")
        : undefined,
    ],
    ["Reached at", leading.length > 0 ? leading.join(", ") : undefined],
    ["CPU", bounds(requests.cpu, limits.cpu)],
    ["Memory", bounds(requests.memory, limits.memory)],
    ...probes.map(({ of, asks, everySeconds, timeoutSeconds, failures }): [string, ReactNode] => [
      `${of.charAt(0).toUpperCase()}${of.slice(1)}`,
      `${asks}, every ${everySeconds} s within ${timeoutSeconds} s, ${failures} failures in a row count`,
    ]),
  ];
  return (
    <Panel title={init ? `Container ${name}, before the others` : `Container ${name}`}>
      <dl data-testid={`container-${name}`} className="divide-y divide-line">
        {rows.map(([label, value]) => (
          <div key={label} className="flex gap-4 px-4 py-2">
            <dt className="w-24 shrink-0 text-muted">{label}</dt>
            <dd className="wrap-anywhere min-w-0">{value ?? <None />}</dd>
          </div>
        ))}
      </dl>
      {env.length > 0 && <Variables env={env} />}
    </Panel>
  );
}

/** "from 100m, up to 500m". */
function bounds(request: string | undefined, limit: string | undefined): string | undefined {
  return (
    [request && `from ${request}`, limit && `up to ${limit}`].filter(Boolean).join(", ") ||
    undefined
  );
}

/** What the container has in its environment; of secrets the name alone. */
function Variables({ env }: { env: Variable[] }) {
  return (
    <details className="border-line border-t px-4 py-2">
      <summary className="cursor-pointer text-muted text-xs">{env.length} variables</summary>
      <ul data-testid="variables" className="mt-2 space-y-1 text-xs">
        {env.map(({ name, value, secret, from, key }) => (
          <li key={`${name} ${from} ${key}`} className="wrap-anywhere font-mono">
            {name || "all keys"}
            {value !== undefined && <span className="text-muted">={value}</span>}
            {secret && <span className="font-sans text-muted"> (a secret, not shown)</span>}
            {from && (
              <span className="font-sans text-muted">
                {" "}
                from {from}
                {key && `, ${key}`}
              </span>
            )}
          </li>
        ))}
      </ul>
    </details>
  );
}

function Code({ children }: { children: string }) {
  return <code className="select-all font-mono text-xs">{children}</code>;
}
