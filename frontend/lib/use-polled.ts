"use client";

import { type UseQueryOptions, useQuery } from "@tanstack/react-query";
import { serverClock } from "./clock";
import { freshness } from "./freshness";
import type { Outcome, Problem } from "./problem";

/** What the server found has its time already; what came since has one of the browser. */
function byServer(updatedAt: number, renderedAt: number): number {
  return updatedAt === renderedAt ? renderedAt : serverClock.byServer(updatedAt);
}

/**
 * Follows a query from what the server found while it rendered the page. The
 * last good data stays when a poll fails; the problem says that it did.
 */
export function usePolled<T>(
  options: UseQueryOptions<T, Problem>,
  initial: Outcome<T>,
  { renderedAt, now, paused }: { renderedAt: number; now: number; paused: boolean },
) {
  const { data, error, dataUpdatedAt, refetch } = useQuery({
    ...options,
    ...(initial.ok && { initialData: initial.data, initialDataUpdatedAt: renderedAt }),
    ...(paused && { refetchInterval: false, refetchOnWindowFocus: false }),
  });
  const atFirst = data === undefined && !initial.ok ? initial.problem : undefined;
  const problem = error ?? atFirst;
  const updatedAt = data === undefined ? undefined : byServer(dataUpdatedAt, renderedAt);
  return {
    data,
    problem,
    /** When data came, in milliseconds since the epoch. */
    updatedAt,
    freshness: freshness({ updatedAt, now, paused, failing: problem !== undefined }),
    ask: () => void refetch(),
  };
}
