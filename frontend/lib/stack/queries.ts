import { queryOptions } from "@tanstack/react-query";
import { polled } from "@/lib/polled";
import type { Problem } from "@/lib/problem";
import { ask } from "@/lib/snapshot/queries";
import { withQuery } from "@/lib/with-query";
import {
  type Environments,
  environmentsSchema,
  type History,
  historySchema,
  type Services,
  servicesSchema,
} from "./schema";

/** Which part of the history: of all services or of one, from its newest change or from a cursor on. */
export interface HistoryPart {
  environment?: string;
  limit: number;
  service?: string;
  cursor?: string;
}

export function servicesPath(environment: string | undefined): string {
  return withQuery("/api/v1/services", { environment });
}

export function historyPath({ limit, ...rest }: HistoryPart): string {
  return withQuery("/api/v1/history", { limit: String(limit), ...rest });
}

export function servicesQuery(environment: string | undefined) {
  const path = servicesPath(environment);
  return queryOptions<Services, Problem>({
    queryKey: ["services", path],
    queryFn: (context) => ask(context, path, servicesSchema),
    ...polled(),
  });
}

/** They come and go seldom: how often they are listed anew, in milliseconds. */
const ENVIRONMENTS_POLL_MS = 10_000;

export const environmentsQuery = queryOptions<Environments, Problem>({
  queryKey: ["environments"],
  queryFn: (context) => ask(context, "/api/v1/environments", environmentsSchema),
  ...polled(ENVIRONMENTS_POLL_MS),
});

export function historyQuery(part: HistoryPart) {
  const path = historyPath(part);
  return queryOptions<History, Problem>({
    queryKey: ["history", path],
    queryFn: (context) => ask(context, path, historySchema),
    ...polled(),
  });
}
