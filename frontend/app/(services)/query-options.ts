import { queryOptions } from "@tanstack/react-query";
import { fetchJSON } from "@/lib/fetch-json";
import { POLL_MS } from "@/lib/freshness";
import type { Problem } from "@/lib/problem";
import { type History, historySchema, type Services, servicesSchema } from "./schema";

/** As many changes as fit on a screen. */
const HISTORY_LIMIT = 15;

export const servicesPath = "/api/v1/services";
export const historyPath = `/api/v1/history?limit=${HISTORY_LIMIT}`;

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

export const historyQuery = queryOptions<History, Problem>({
  queryKey: ["history"],
  queryFn: ({ signal }) => fetchJSON(historyPath, historySchema, signal),
  ...polled,
});
