import { z } from "zod";
import { inertText } from "@/lib/inert-text";

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
  reason: inertText.default(""),
});

/** Why something is not as it should be: a code such as "image_pull", and a sentence. */
const reasonSchema = z.object({ code: z.string(), message: inertText });
export type Reason = z.infer<typeof reasonSchema>;

const podSchema = z.object({
  name: z.string().min(1),
  /** As Kubernetes says it: Pending, Running, Succeeded, Failed or Unknown. */
  phase: z.string(),
  ready: z.boolean(),
  restarts: count,
  startedAt: time.optional(),
  reason: reasonSchema.optional(),
});
export type Pod = z.infer<typeof podSchema>;

export const serviceSchema = z.object({
  name: z.string().min(1),
  /** Deployment or StatefulSet; empty where Kubernetes could not be asked. */
  kind: optionalText,
  state: stateSchema,
  reason: reasonSchema.optional(),
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
  pods: z.array(podSchema).default([]),
  /** Whether an attached zr dev changes it while it runs. */
  dev: z.boolean().default(false),
  /** The services that it needs, by their names. */
  dependsOn: z.array(z.string()).default([]),
});
export type Service = z.infer<typeof serviceSchema>;

export const servicesSchema = z.object({
  namespace: z.string(),
  /** Without Kubernetes, services holds only what the api measures itself. */
  kubernetes: measuredSchema,
  services: z.array(serviceSchema),
});
export type Services = z.infer<typeof servicesSchema>;

export const environmentsSchema = z.object({
  environments: z.array(z.object({ name: z.string(), expiresAt: z.string().optional() })),
});
export type Environments = z.infer<typeof environmentsSchema>;

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
  message: inertText.default(""),
  build: optionalText,
  at: time,
});
export type Change = z.infer<typeof changeSchema>;

export const historySchema = z.object({
  events: z.array(changeSchema),
  /** The cursor of the page after this one; none on the last. */
  next: z.string().optional(),
});
export type History = z.infer<typeof historySchema>;
