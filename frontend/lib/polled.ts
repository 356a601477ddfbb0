import { POLL_MS } from "./freshness";
import type { Problem } from "./problem";

/**
 * Options of a query that is asked again every so often, in milliseconds. The next
 * poll is the retry, and an error is a Problem, which says more than a flag. A session
 * that has ended does not begin again by itself, and each refusal is a record of the
 * audit log: who is not logged in asks again when he comes back to the page.
 */
export function polled(everyMs: number = POLL_MS) {
  return {
    staleTime: everyMs,
    retry: false,
    retryOnMount: false,
    refetchInterval: ({ state }: { state: { error: Problem | null } }) =>
      state.error?.code === "not_logged_in" ? false : everyMs,
  } as const;
}
