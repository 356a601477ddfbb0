import { queryOptions } from "@tanstack/react-query";
import { fetchJSON } from "@/lib/fetch-json";
import { POLL_MS } from "@/lib/freshness";
import type { Problem } from "@/lib/problem";
import { type Activity, activitySchema, outcomes, type RecordOutcome } from "./schema";

/** How many records a page has. */
const PAGE = 50;

/** The part of the audit log that an address asks for. */
export interface ActivityPart {
  outcome?: RecordOutcome;
  cursor?: string;
}

export function partOf(query: Record<string, string | string[] | undefined>): ActivityPart {
  return {
    outcome: outcomes.find((outcome) => outcome === query.outcome),
    cursor: typeof query.cursor === "string" && query.cursor ? query.cursor : undefined,
  };
}

export function activityPath({ outcome, cursor }: ActivityPart): string {
  const query = new URLSearchParams({ limit: String(PAGE) });
  if (outcome) {
    query.set("outcome", outcome);
  }
  if (cursor) {
    query.set("cursor", cursor);
  }
  return `/api/v1/activity?${query}`;
}

export function activityQuery(part: ActivityPart) {
  const path = activityPath(part);
  return queryOptions<Activity, Problem>({
    queryKey: ["activity", path],
    queryFn: ({ signal }) => fetchJSON(path, activitySchema, signal),
    staleTime: POLL_MS,
    retry: false,
    retryOnMount: false,
    // Each refusal is a record of the log: who is not logged in does not ask again by himself.
    refetchInterval: ({ state }) => (state.error?.code === "not_logged_in" ? false : POLL_MS),
  });
}
