import { z } from "zod";
import type { Schemas } from "@/lib/api/types";

const time = z.iso.datetime({ offset: true });
const count = z.number().int().nonnegative();
/** As Go writes it, in nanoseconds. */
const duration = z.number().nonnegative();

const doing = z.object({
  /** The name of a step or a service. */
  what: z.string(),
  state: z.enum(["running", "building", "reloading"]),
  since: time,
}) satisfies z.ZodType<Schemas["Doing"]>;
export type Doing = z.infer<typeof doing>;

const attached = z.object({
  run: z.string(),
  verb: z.enum(["up", "dev"]),
  user: z.string(),
  machine: z.string(),
  folder: z.string().default(""),
  process: z.number().int(),
  since: time,
  actions: z.array(z.string()),
  now: z.array(doing),
});
/** A run of zr that is there now. */
export type Attached = z.infer<typeof attached>;

/** The newest first. */
export const attachedSchema = z.object({ attached: z.array(attached) });
export type AttachedRuns = z.infer<typeof attachedSchema>;

const place = z.object({
  file: z.string(),
  line: count,
  column: count.default(0),
  message: z.string().default(""),
});
/** A line of a file of the project. */
export type Place = z.infer<typeof place>;

const runEvent = z.object({
  id: z.number().int(),
  run: z.string(),
  verb: z.enum(["up", "dev"]),
  user: z.string(),
  machine: z.string(),
  folder: z.string().default(""),
  at: time,
  type: z.string(),
  service: z.string().default(""),
  data: z.unknown(),
  places: z.array(place).default([]),
});
/** Something that a run of zr told. */
export type RunEvent = z.infer<typeof runEvent>;

/** The newest first. */
export const runEventsSchema = z.object({
  events: z.array(runEvent),
  /** The cursor of the page after this one; none on the last. */
  next: z.string().optional(),
});
export type RunEvents = z.infer<typeof runEventsSchema>;

/** What comes over a live view: the oldest event first. */
export const frameSchema = z.object({
  attached: z.array(attached).optional(),
  events: z.array(runEvent),
});

/** The data of events, by their types: see pkg/event. */
export const dataSchemas = {
  reload: z.object({
    service: z.string(),
    action: z.string(),
    paths: z
      .array(z.string())
      .nullable()
      .transform((paths) => paths ?? []),
    bytes: count.default(0),
    saved: time,
    noticed: duration,
    built: duration,
    sent: duration,
    swapped: duration,
    healthy: duration,
    onlySent: z.boolean().default(false),
    error: z.string().default(""),
    rolledBack: z.boolean().default(false),
  }),
  problem: z.object({
    source: z.string(),
    text: z.string().default(""),
    cleared: z.boolean().default(false),
  }),
  "step.started": z.object({ step: z.string(), title: z.string().default("") }),
  "step.done": z.object({
    step: z.string(),
    took: duration,
    unchanged: z.boolean().default(false),
    detail: z.string().default(""),
  }),
  "step.failed": z.object({
    step: z.string(),
    took: duration,
    error: z.string().default(""),
    hint: z.string().default(""),
    cancelled: z.boolean().default(false),
  }),
  ready: z.object({ took: duration }),
  error: z.object({ error: z.string(), hint: z.string().default("") }),
} as const;
export type EventType = keyof typeof dataSchemas;
/** The types of the events that the dashboard asks for. */
export const eventTypes = Object.keys(dataSchemas) as EventType[];

/** An event with the data of its type. */
export type Told<T extends EventType> = Omit<RunEvent, "type" | "data"> & {
  type: T;
  data: z.infer<(typeof dataSchemas)[T]>;
};

/** Those of events that are of a type; what another version of zr tells otherwise is left out. */
export function ofType<T extends EventType>(type: T, events: readonly RunEvent[]): Told<T>[] {
  return events.flatMap((event) => {
    const { success, data } = dataSchemas[type].safeParse(event.data);
    return event.type === type && success ? [{ ...event, type, data } as Told<T>] : [];
  });
}

const spread = z.object({ count, medianMs: z.number(), p95Ms: z.number() });
export type Spread = z.infer<typeof spread>;

const moment = z.object({
  at: time,
  changes: count,
  failed: count,
  leadTimeMedianMs: z.number().optional(),
  timeToRestoreMedianMs: z.number().optional(),
}) satisfies z.ZodType<Schemas["Moment"]>;
export type Moment = z.infer<typeof moment>;

const flow = z.object({
  changes: count,
  perHour: z.number(),
  failed: count,
  rolledBack: count,
  failureRate: z.number().min(0).max(1).optional(),
  leadTime: spread.optional(),
  timeToRestore: spread.optional(),
  broken: count,
  /** The oldest first, without those in which there was nothing. */
  curve: z.array(moment),
}) satisfies z.ZodType<Schemas["Flow"]>;
/** The four metrics of one kind of change. */
export type Flow = z.infer<typeof flow>;

export const deliverySchema = z.object({
  from: time,
  to: time,
  stepSeconds: z.number().positive(),
  reloads: flow,
  deploys: flow,
}) satisfies z.ZodType<Schemas["Delivery"]>;
export type Delivery = z.infer<typeof deliverySchema>;
