import { z } from "zod";
import { totalOf } from "@/lib/dev/reload";
import { dataSchemas } from "@/lib/dev/schema";
import { postJSON } from "@/lib/fetch-json";
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
