import { queryOptions } from "@tanstack/react-query";
import { z } from "zod";
import type { Schemas } from "@/lib/api/types";
import { inertText } from "@/lib/inert-text";
import { polled } from "@/lib/polled";
import type { Problem } from "@/lib/problem";
import { ask } from "@/lib/snapshot/queries";
import { withQuery } from "@/lib/with-query";
import { detailsSchema } from "./details";

/** How often what changes seldom is asked for, in milliseconds. */
const POLL_MS = 10_000;

const time = z.iso.datetime({ offset: true });

/** What Kubernetes tells of a service or a pod of it. */
const eventSchema = z.object({
  at: time,
  warning: z.boolean(),
  /** As in "Pod/api-7d9c5-x2x4p". */
  object: inertText,
  reason: inertText,
  message: inertText,
}) satisfies z.ZodType<Schemas["KubernetesEvent"]>;
export type KubernetesEvent = z.infer<typeof eventSchema>;

/** The newest first. */
export const eventsSchema = z.object({ events: z.array(eventSchema) });

/** What a service can be rolled back to. */
const revisionSchema = z.object({
  revision: z.number().int(),
  current: z.boolean(),
  images: z.array(inertText),
  createdAt: time,
  cause: inertText.optional(),
}) satisfies z.ZodType<Schemas["Revision"]>;
export type Revision = z.infer<typeof revisionSchema>;

/** The newest first. */
export const revisionsSchema = z.object({ revisions: z.array(revisionSchema) });

/** Where the api has something of a service. */
export function pathOf(
  service: string,
  what: "events" | "revisions" | "details",
  environment: string | undefined,
): string {
  return withQuery(`/api/v1/services/${encodeURIComponent(service)}/${what}`, { environment });
}

function ofService<T>(
  service: string,
  what: Parameters<typeof pathOf>[1],
  environment: string | undefined,
  schema: z.ZodType<T>,
) {
  const path = pathOf(service, what, environment);
  return queryOptions<T, Problem>({
    queryKey: ["service", path],
    queryFn: (context) => ask(context, path, schema),
    ...polled(POLL_MS),
  });
}

export function eventsQuery(service: string, environment: string | undefined) {
  return ofService(service, "events", environment, eventsSchema);
}

export function revisionsQuery(service: string, environment: string | undefined) {
  return ofService(service, "revisions", environment, revisionsSchema);
}

export function detailsQuery(service: string, environment: string | undefined) {
  return ofService(service, "details", environment, detailsSchema);
}
