import { z } from "zod";

export const states = ["healthy", "starting", "unhealthy", "pending"] as const;

/** What the api says of a service's health. */
export const stateSchema = z.enum(states);
export type State = z.infer<typeof stateSchema>;

/** What the api leaves out where it does not know: a missing text, or an empty one. */
const optionalText = z.string().default("");
const time = z.iso.datetime({ offset: true });

export const serviceSchema = z.object({
  name: z.string().min(1),
  /** Of the workload: Deployment or StatefulSet. */
  kind: z.string(),
  state: stateSchema,
  /** Why it is not healthy, in a word. */
  reason: optionalText,
  /** The same in a sentence. */
  message: optionalText,
  /** Pods that are ready, and that there should be. */
  ready: z.number().int().nonnegative(),
  desired: z.number().int().nonnegative(),
  restarts: z.number().int().nonnegative(),
  image: optionalText,
  /** Hash of the inputs that the running code was built from. */
  build: optionalText,
  /** When the oldest ready pod started. */
  startedAt: time.optional(),
  /** The api's own connection to the service. */
  check: z
    .object({ status: z.string(), latencyMs: z.number().nonnegative(), reason: optionalText })
    .optional(),
});
export type Service = z.infer<typeof serviceSchema>;

export const servicesSchema = z.object({ services: z.array(serviceSchema) });
export type Services = z.infer<typeof servicesSchema>;

/** A change of a service's state, of its reason, or of its build. */
export const changeSchema = z.object({
  id: z.number().int(),
  service: z.string(),
  state: stateSchema,
  previous: stateSchema.optional(),
  reason: optionalText,
  message: optionalText,
  build: optionalText,
  at: time,
});
export type Change = z.infer<typeof changeSchema>;

export const historySchema = z.object({ events: z.array(changeSchema) });
export type History = z.infer<typeof historySchema>;
