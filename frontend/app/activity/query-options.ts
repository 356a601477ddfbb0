import { queryOptions } from "@tanstack/react-query";
import { fetchJSON } from "@/lib/fetch-json";
import { polled } from "@/lib/polled";
import type { Problem } from "@/lib/problem";
import { ask } from "@/lib/snapshot/queries";
import { withQuery } from "@/lib/with-query";
import { type Activity, type AuditRecord, activitySchema } from "./schema";
import type { ActivityPart, Filter } from "./search-params";

/** How many records a page has. */
const PAGE = 50;

/** How many are read at once for a file: as many as the api answers. */
const LARGE_PAGE = 500;

export function activityPath(part: ActivityPart, limit = PAGE): string {
  const { actor, action, target, outcome, cursor } = part;
  return withQuery("/api/v1/activity", {
    limit: String(limit),
    actor,
    action,
    target,
    outcome,
    cursor,
  });
}

export function activityQuery(part: ActivityPart) {
  const path = activityPath(part);
  return queryOptions<Activity, Problem>({
    queryKey: ["activity", path],
    queryFn: (context) => ask(context, path, activitySchema),
    ...polled(),
  });
}

/** Reads all records that a filter finds, newest first. It throws a Problem, or what ended it. */
export async function allRecords(filter: Filter, signal: AbortSignal): Promise<AuditRecord[]> {
  const all: AuditRecord[] = [];
  let cursor: string | undefined;
  do {
    const path = activityPath({ ...filter, cursor }, LARGE_PAGE);
    const { records, next } = await fetchJSON(path, activitySchema, signal);
    all.push(...records);
    cursor = next;
  } while (cursor);
  return all;
}
