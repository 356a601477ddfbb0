import { z } from "zod";

export const states = ["healthy", "starting", "unhealthy", "pending"] as const;

/** What a service is doing, as the api judges it. */
export const stateSchema = z.enum(states);
export type State = z.infer<typeof stateSchema>;

/** The api leaves out a text that it does not know. */
const optionalText = z.string().default("");
const time = z.iso.datetime({ offset: true });
const count = z.number().int().nonnegative();

/** What the api found when it used something itself. */
const measuredSchema = z.object({
  status: z.enum(["ok", "down"]),
  /** 0 where there was nothing to wait for: the api measures itself. */
  latencyMs: z.number().nonnegative(),
  reason: optionalText,
});

export const serviceSchema = z.object({
  name: z.string().min(1),
  /** Deployment or StatefulSet; empty where Kubernetes could not be asked. */
  kind: optionalText,
  state: stateSchema,
  /** Why it is not healthy: a code such as "image_pull", and a sentence. */
  reason: z.object({ code: z.string(), message: z.string() }).optional(),
  /** Pods that are ready, and that there should be. */
  ready: count,
  desired: count,
  restarts: count,
  image: optionalText,
  /** Hash of the inputs that the running code was built from. */
  build: optionalText,
  /** When its newest container started. */
  startedAt: time.optional(),
  measured: measuredSchema.optional(),
});
export type Service = z.infer<typeof serviceSchema>;

export const servicesSchema = z.object({
  namespace: z.string(),
  /** Without Kubernetes, services holds only what the api measures itself. */
  kubernetes: measuredSchema,
  services: z.array(serviceSchema),
});
export type Services = z.infer<typeof servicesSchema>;

/** In the history, a service may also have gone. */
export const historyStateSchema = z.enum([...states, "removed"]);
export type HistoryState = z.infer<typeof historyStateSchema>;

/** A change of a service's state, of its reason, or of its build. */
export const changeSchema = z.object({
  id: z.number().int(),
  service: z.string(),
  state: historyStateSchema,
  /** The state before; none for the first time that it was seen. */
  previous: historyStateSchema.optional(),
  reason: optionalText,
  message: optionalText,
  build: optionalText,
  at: time,
});
export type Change = z.infer<typeof changeSchema>;

export const historySchema = z.object({ events: z.array(changeSchema) });
export type History = z.infer<typeof historySchema>;
