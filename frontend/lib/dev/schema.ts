import { z } from "zod";
import type { Schemas } from "@/lib/api/types";
import { inertText } from "@/lib/inert-text";

const time = z.iso.datetime({ offset: true });
const count = z.number().int().nonnegative();
/** As Go writes it, in nanoseconds. */
const duration = z.number().nonnegative();

const doing = z.object({
  /** The name of a step or a service. */
  what: inertText,
  state: z.enum(["running", "building", "reloading"]),
  since: time,
}) satisfies z.ZodType<Schemas["Doing"]>;
export type Doing = z.infer<typeof doing>;

const attached = z.object({
  run: z.string(),
  verb: z.enum(["up", "dev"]),
  user: inertText,
  machine: inertText,
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
  message: inertText.default(""),
});
/** A line of a file of the project. */
export type Place = z.infer<typeof place>;

const runEvent = z.object({
  id: z.number().int(),
  run: z.string(),
  verb: z.enum(["up", "dev"]),
  user: inertText,
  machine: inertText,
  folder: z.string().default(""),
  at: time,
  type: z.string(),
  service: inertText.default(""),
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
    service: inertText,
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
    error: inertText.default(""),
    rolledBack: z.boolean().default(false),
  }),
  problem: z.object({
    source: z.string(),
    text: inertText.default(""),
    cleared: z.boolean().default(false),
  }),
  "step.started": z.object({ step: z.string(), title: inertText.default("") }),
  "step.done": z.object({
    step: z.string(),
    took: duration,
    unchanged: z.boolean().default(false),
    detail: inertText.default(""),
  }),
  "step.failed": z.object({
    step: z.string(),
    took: duration,
    error: inertText.default(""),
    hint: inertText.default(""),
    cancelled: z.boolean().default(false),
  }),
  ready: z.object({ took: duration }),
  error: z.object({ error: inertText, hint: inertText.default("") }),
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
