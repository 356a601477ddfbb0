"use client";

import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { Button } from "@/components/button";
import { useEnvironment } from "@/components/environment";
import { HealthyIcon, UnhealthyIcon } from "@/components/icons";
import { Panel } from "@/components/panel";
import { Unread } from "@/components/unread";
import { ago } from "@/lib/time";
import { eventsQuery, type KubernetesEvent } from "../queries";

/** As many events as are read at a glance. */
const FIRST = 8;

/** What Kubernetes tells of a service and its pods, also of those that are gone. */
export function Events({ service, now }: { service: string; now: number }) {
  const [all, setAll] = useState(false);
  const { data, error } = useQuery(eventsQuery(service, useEnvironment()));
  return (
    <Panel title="Events" note="Kubernetes keeps them for an hour">
      {!data && <Unread problem={error} />}
      {data?.events.length === 0 && (
        <p className="px-4 py-3 text-muted text-xs">Kubernetes tells of nothing.</p>
      )}
      {data && data.events.length > 0 && (
        <ol data-testid="events" className="divide-y divide-line">
          {data.events.slice(0, all ? undefined : FIRST).map((event, i) => (
            <EventItem
              // biome-ignore lint/suspicious/noArrayIndexKey: they have no name, and one may be told twice in a second
              key={i}
              event={event}
              now={now}
            />
          ))}
        </ol>
      )}
      {data && data.events.length > FIRST && !all && (
        <p className="border-line border-t px-4 py-2">
          <Button onClick={() => setAll(true)}>Show all {data.events.length}</Button>
        </p>
      )}
    </Panel>
  );
}

function EventItem({ event, now }: { event: KubernetesEvent; now: number }) {
  const { at, warning, object, reason, message } = event;
  return (
    <li data-warning={warning} className="flex gap-2.5 px-4 py-2">
      {warning ? (
        <UnhealthyIcon className="mt-0.5 text-starting" />
      ) : (
        <HealthyIcon className="mt-0.5 text-muted" />
      )}
      <div className="min-w-0 flex-1 text-xs">
        <p className="flex flex-wrap items-baseline gap-x-2">
          <span className="font-medium">{warning ? `Warning: ${reason}` : reason}</span>
          <span className="wrap-anywhere font-mono text-muted">{object}</span>
          <time dateTime={at} title={at} className="ml-auto shrink-0 text-muted">
            {ago(now - Date.parse(at))}
          </time>
        </p>
        <p className="wrap-anywhere text-muted">{message}</p>
      </div>
    </li>
  );
}
