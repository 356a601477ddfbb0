import { queryOptions } from "@tanstack/react-query";
import { z } from "zod";
import type { Schemas } from "@/lib/api/types";
import { inertText } from "@/lib/inert-text";
import { polled } from "@/lib/polled";
import type { Problem } from "@/lib/problem";
import { ask } from "@/lib/snapshot/queries";
import { withQuery } from "@/lib/with-query";

/** How far back one looks. */
export const windows = ["1h", "24h", "7d"] as const;
export type Window = (typeof windows)[number];

/** How often the past is asked for, in milliseconds: its shortest step is a minute. */
const POLL_MS = 10_000;

const time = z.iso.datetime({ offset: true });
const seconds = z.number().nonnegative();
const state = z.enum(["healthy", "unhealthy", "starting", "stopped", "unknown"]);
export type PastState = z.infer<typeof state>;

const share: z.ZodType<Schemas["Share"]> = z.object({
  healthy: seconds,
  unhealthy: seconds,
  starting: seconds,
  stopped: seconds,
  unknown: seconds,
  uptime: z.number().min(0).max(1).optional(),
});

const latency: z.ZodType<Schemas["Latency"]> = z.object({
  asked: z.number().int(),
  unanswered: z.number().int(),
  p50: z.number().optional(),
  p95: z.number().optional(),
  p99: z.number().optional(),
});

const point = z.object({
  at: time,
  state,
  uptime: z.number().min(0).max(1).optional(),
  p95: z.number().optional(),
}) satisfies z.ZodType<Schemas["Point"]>;
export type Point = z.infer<typeof point>;

const summary = {
  service: z.string(),
  state,
  uptime: z.object({ hour: share, day: share, week: share }),
  latency,
  points: z.array(point),
};

const outage = {
  from: time,
  to: time,
  seconds,
  reason: inertText,
  message: inertText,
  end: z.enum(["healthy", "stopped", "unseen", "lasting"]),
};

const serviceOutage = z.object({ service: z.string(), ...outage });
/** A time in which a service was to run and was not healthy. */
export type Outage = z.infer<typeof serviceOutage>;

export const uptimeSchema = z.object({
  services: z.array(z.object(summary)),
  /** Those of all services, the newest first. */
  outages: z.array(serviceOutage),
});
export type Uptime = z.infer<typeof uptimeSchema>;
export type UptimeSummary = Uptime["services"][number];

/** As many outages as a person reads through: the api tells no more of all services, and of one there may be thousands. */
export const MOST_OUTAGES = 100;

export const reportSchema = z.object({
  ...summary,
  /** The newest first. */
  outages: z.array(z.object(outage)).transform((all) => all.slice(0, MOST_OUTAGES)),
});
export type UptimeReport = z.infer<typeof reportSchema>;

export interface UptimePart {
  environment?: string;
  window: Window;
}

export function uptimePath({ environment, window }: UptimePart): string {
  return withQuery("/api/v1/uptime", { environment, window });
}

export function reportPath(service: string, { environment, window }: UptimePart): string {
  return withQuery(`/api/v1/services/${encodeURIComponent(service)}/uptime`, {
    environment,
    window,
  });
}

/** How all services were. */
export function uptimeQuery(part: UptimePart) {
  const path = uptimePath(part);
  return queryOptions<Uptime, Problem>({
    queryKey: ["uptime", path],
    queryFn: (context) => ask(context, path, uptimeSchema),
    ...polled(POLL_MS),
  });
}

/** How one service was, in finer steps. */
export function reportQuery(service: string, part: UptimePart) {
  const path = reportPath(service, part);
  return queryOptions<UptimeReport, Problem>({
    queryKey: ["uptime", path],
    queryFn: (context) => ask(context, path, reportSchema),
    ...polled(POLL_MS),
  });
}
