import { queryOptions } from "@tanstack/react-query";
import { POLL_MS } from "@/lib/freshness";
import { polled } from "@/lib/polled";
import type { Problem } from "@/lib/problem";
import { ask } from "@/lib/snapshot/queries";
import type { Window } from "@/lib/stack/uptime";
import { withQuery } from "@/lib/with-query";
import {
  type AttachedRuns,
  attachedSchema,
  type Delivery,
  deliverySchema,
  type EventType,
  type RunEvents,
  runEventsSchema,
} from "./schema";

/** How often that is asked for which a live view brings, in milliseconds: it tells when the database is away. */
const EVENTS_POLL_MS = 10_000;

export function attachedPath(environment: string | undefined): string {
  return withQuery("/api/v1/dev", { environment });
}

/** Which runs of zr are attached, and what they do. */
export function attachedQuery(environment: string | undefined) {
  const path = attachedPath(environment);
  return queryOptions<AttachedRuns, Problem>({
    queryKey: ["dev", path],
    queryFn: (context) => ask(context, path, attachedSchema),
    ...polled(POLL_MS),
  });
}

/** Which events: of all services or of one, everything or what failed, from the newest or from a cursor on. */
export interface EventsPart {
  environment?: string;
  types: readonly EventType[];
  limit: number;
  service?: string;
  failed?: boolean;
  cursor?: string;
}

export function eventsPath({ types, limit, failed, ...rest }: EventsPart): string {
  const query = types.map((type) => `type=${type}`).join("&");
  return withQuery(`/api/v1/dev/events?${query}`, {
    limit: String(limit),
    failed: failed ? "true" : undefined,
    ...rest,
  });
}

/** What runs of zr told. */
export function eventsQuery(part: EventsPart) {
  const path = eventsPath(part);
  return queryOptions<RunEvents, Problem>({
    queryKey: ["dev-events", path],
    queryFn: (context) => ask(context, path, runEventsSchema),
    ...polled(EVENTS_POLL_MS),
  });
}

export interface MetricsPart {
  environment?: string;
  window: Window;
}

export function metricsPath({ environment, window }: MetricsPart): string {
  return withQuery("/api/v1/dev/metrics", { environment, window });
}

/** The four metrics of DORA. */
export function metricsQuery(part: MetricsPart) {
  const path = metricsPath(part);
  return queryOptions<Delivery, Problem>({
    queryKey: ["dev-metrics", path],
    queryFn: (context) => ask(context, path, deliverySchema),
    ...polled(EVENTS_POLL_MS),
  });
}
