import { z } from "zod";
import type { Schemas } from "@/lib/api/types";
import { inertText } from "@/lib/inert-text";

const time = z.iso.datetime({ offset: true });

const portSchema = z.object({
  name: z.string().optional(),
  number: z.number(),
  protocol: z.string().optional(),
}) satisfies z.ZodType<Schemas["Port"]>;

const resourcesSchema = z.object({
  cpu: z.string().optional(),
  memory: z.string().optional(),
}) satisfies z.ZodType<Schemas["Resources"]>;

const variableSchema = z.object({
  name: inertText,
  /** None of a secret, and of what the api does not know. */
  value: inertText.optional(),
  secret: z.boolean().optional(),
  /** As in "Secret/secrets". */
  from: inertText.optional(),
  key: inertText.optional(),
}) satisfies z.ZodType<Schemas["Variable"]>;
export type Variable = z.infer<typeof variableSchema>;

/** What Kubernetes asks a container to know how it is. */
const questionSchema = z.object({
  of: z.enum(["startup", "readiness", "liveness"]),
  kind: z.string(),
  asks: inertText,
  everySeconds: z.number(),
  timeoutSeconds: z.number(),
  failures: z.number(),
}) satisfies z.ZodType<Schemas["Question"]>;

const containerSchema = z.object({
  name: z.string(),
  init: z.boolean().optional(),
  image: inertText,
  ports: z.array(portSchema),
  probes: z.array(questionSchema),
  env: z.array(variableSchema),
  requests: resourcesSchema,
  limits: resourcesSchema,
}) satisfies z.ZodType<Schemas["Container"]>;
export type Container = z.infer<typeof containerSchema>;

const endedSchema = z.object({
  at: time,
  exitCode: z.number(),
  reason: inertText,
}) satisfies z.ZodType<Schemas["Ended"]>;

const statusSchema = z.object({
  name: z.string(),
  state: z.enum(["running", "waiting", "terminated"]),
  ready: z.boolean(),
  restarts: z.number(),
  /** Why it waits or has ended. */
  reason: inertText.optional(),
  lastEnd: endedSchema.optional(),
  /** 0.25 is a quarter of a core. */
  cpuCores: z.number().optional(),
  memoryBytes: z.number().optional(),
});
export type ContainerStatus = z.infer<typeof statusSchema>;

/** What a pod said last to its readiness probe. */
const answerSchema = z.object({
  by: z.enum(["api", "kubelet"]),
  status: z.enum(["ready", "not ready"]),
  asks: inertText.optional(),
  text: inertText.optional(),
  latencyMs: z.number().optional(),
  at: time.optional(),
  /** Why the api does not ask itself. */
  why: inertText.optional(),
}) satisfies z.ZodType<Schemas["Answer"]>;
export type Answer = z.infer<typeof answerSchema>;

const podSchema = z.object({
  name: z.string(),
  node: z.string().optional(),
  address: z.string().optional(),
  answer: answerSchema,
  containers: z.array(statusSchema),
});
export type PodDetails = z.infer<typeof podSchema>;

/** What a service is made of, and what it uses. */
export const detailsSchema = z.object({
  containers: z.array(containerSchema),
  pods: z.array(podSchema),
  /** Of the Kubernetes Services that lead to it. */
  ports: z.array(portSchema.extend({ service: z.string() })),
  rolledOutAt: time.optional(),
  /** Why CPU and memory are not known. */
  usageWhy: inertText.optional(),
});
export type Details = z.infer<typeof detailsSchema>;
