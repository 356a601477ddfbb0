import { queryOptions } from "@tanstack/react-query";
import { fetchJSON } from "@/lib/fetch-json";
import { POLL_MS } from "@/lib/freshness";
import type { Problem } from "@/lib/problem";
import { type History, historySchema, type Services, servicesSchema } from "./schema";

/** Which part of the history: of all services or of one, from its newest change or from a cursor on. */
export interface HistoryPart {
  limit: number;
  service?: string;
  cursor?: string;
}

export const servicesPath = "/api/v1/services";

export function historyPath({ limit, service, cursor }: HistoryPart): string {
  const query = new URLSearchParams({ limit: String(limit) });
  if (service) {
    query.set("service", service);
  }
  if (cursor) {
    query.set("cursor", cursor);
  }
  return `/api/v1/history?${query}`;
}

/** The next poll is the retry, and an error is a Problem, which says more than a flag. */
const polled = {
  refetchInterval: POLL_MS,
  staleTime: POLL_MS,
  retry: false,
  retryOnMount: false,
} as const;

export const servicesQuery = queryOptions<Services, Problem>({
  queryKey: ["services"],
  queryFn: ({ signal }) => fetchJSON(servicesPath, servicesSchema, signal),
  ...polled,
});

export function historyQuery(part: HistoryPart) {
  const path = historyPath(part);
  return queryOptions<History, Problem>({
    queryKey: ["history", path],
    queryFn: ({ signal }) => fetchJSON(path, historySchema, signal),
    ...polled,
  });
}
