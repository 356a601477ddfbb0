import { z } from "zod";
import { totalOf } from "@/lib/dev/reload";
import { dataSchemas } from "@/lib/dev/schema";
import { fetchJSON, postJSON } from "@/lib/fetch-json";
import type { Problem } from "@/lib/problem";
import { requestKey } from "@/lib/request-key";
import { withQuery } from "@/lib/with-query";
import { type Change, devName, isOfDev } from "./actions";

const count = z.number().int().nonnegative();

/** How a service was after a change, as Kubernetes said it. */
const effectSchema = z.object({ replicas: count, ready: count });
/** How long it took an attached `zr dev`, in milliseconds, until all was healthy. */
const traceSchema = dataSchemas.reload.transform((trace) => ({ tookMs: totalOf(trace) }));
export type Effect = z.infer<typeof effectSchema> | z.infer<typeof traceSchema>;

/**
 * Makes a change, and returns when it has taken effect. It throws a Problem.
 *
 * @param confirmed also where others that run depend on the service
 */
export function send(change: Change, confirmed: boolean): Promise<Effect> {
  const { environment, service, action } = change;
  const request = { key: requestKey(), body: bodyOf(change) };
  if (isOfDev(action)) {
    const path = withQuery(`/api/v1/dev/${devName[action]}`, { environment });
    return postJSON<Effect>(path, traceSchema, request);
  }
  const path = withQuery(`/api/v1/services/${encodeURIComponent(service)}/${action}`, {
    environment,
    confirm: confirmed ? "true" : undefined,
  });
  return postJSON<Effect>(path, effectSchema, request);
}

function bodyOf({ action, service, replicas, revision }: Change) {
  switch (action) {
    case "scale":
      return { replicas };
    case "rollback":
      return { revision };
    case "rebuild":
    case "swap":
      return { service };
    default:
      return undefined;
  }
}

const sessionSchema = z.object({ name: z.string(), role: z.enum(["viewer", "operator"]) });
export type Session = z.infer<typeof sessionSchema>;

/** Who is logged in. An error is a Problem. */
export const sessionQuery = {
  queryKey: ["session"],
  queryFn: ({ signal }: { signal: AbortSignal }) =>
    fetchJSON("/api/v1/session", sessionSchema, signal),
  retry: false,
} as const;

/** Why who is logged in may change nothing; undefined where he may. */
export function whyNobody(
  session: Session | undefined,
  problem: Problem | null,
): { text: string; command?: string } | undefined {
  if (problem?.code === "not_logged_in") {
    return { text: "You are not logged in. A link that logs you in:", command: "zr dashboard" };
  }
  if (problem) {
    return { text: `Whether you may is not known: ${problem.message}` };
  }
  if (session?.role === "viewer") {
    return {
      text: `${session.name} is a viewer, who may look and not change anything. A link for an operator:`,
      command: "zr dashboard",
    };
  }
  return undefined;
}
