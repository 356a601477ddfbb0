import { queryOptions } from "@tanstack/react-query";
import { z } from "zod";
import type { Schemas } from "@/lib/api/types";
import { inertText } from "@/lib/inert-text";
import { polled } from "@/lib/polled";
import type { Problem } from "@/lib/problem";
import { ask } from "@/lib/snapshot/queries";
import { withQuery } from "@/lib/with-query";

/** How often it is asked for, in milliseconds: what is used is measured no more often. */
const POLL_MS = 5_000;

/** What all containers of a service use that run. */
const useSchema = z.object({
  running: z.number().int(),
  /** Those of them whose use is known: one that has just begun is not measured yet. */
  measured: z.number().int(),
  /** 0.25 is a quarter of a core. */
  cpuCores: z.number(),
  memoryBytes: z.number(),
  /** What they may use, where each of them has a limit. */
  cpuCoresLimit: z.number().optional(),
  memoryBytesLimit: z.number().optional(),
}) satisfies z.ZodType<Schemas["Use"]>;
export type Use = z.infer<typeof useSchema>;

/** What changed a service last. */
const lastChangeSchema = z.object({
  at: z.iso.datetime({ offset: true }),
  what: z.enum([
    "deployed",
    "reloaded",
    "restarted",
    "stopped",
    "started",
    "scaled",
    "rolledBack",
    "ran",
    "configured",
    "changed",
  ]),
  /** Who it was, where that is known. */
  by: inertText.optional(),
  /** What the program that did it calls itself. */
  with: inertText.optional(),
  /** What has set the number of its pods, at a time that nobody knows. */
  scaledWith: inertText.optional(),
}) satisfies z.ZodType<Schemas["Change"]>;
export type LastChange = z.infer<typeof lastChangeSchema>;

const serviceOverviewSchema = z.object({
  name: z.string(),
  use: useSchema.optional(),
  lastChange: lastChangeSchema.optional(),
}) satisfies z.ZodType<Schemas["ServiceOverview"]>;
export type ServiceOverview = z.infer<typeof serviceOverviewSchema>;

export const overviewSchema = z.object({
  services: z.array(serviceOverviewSchema),
  /** Why CPU and memory are not known. */
  usageWhy: inertText.optional(),
  /** Why it is not known who made the last changes. */
  namesWhy: inertText.optional(),
});
export type Overview = z.infer<typeof overviewSchema>;

export function overviewPath(environment: string | undefined): string {
  return withQuery("/api/v1/overview", { environment });
}

/** What the services use, and what changed them last: for who is logged in. */
export function overviewQuery(environment: string | undefined) {
  const path = overviewPath(environment);
  return queryOptions<Overview, Problem>({
    queryKey: ["overview", path],
    queryFn: (context) => ask(context, path, overviewSchema),
    ...polled(POLL_MS),
  });
}
