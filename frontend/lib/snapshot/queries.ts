import { QueryClient, type QueryFunctionContext } from "@tanstack/react-query";
import type { z } from "zod";
import { fetchJSON } from "@/lib/fetch-json";
import type { Snapshot } from "./snapshot";

type Options = Parameters<QueryClient["defaultQueryOptions"]>[0];

/** The queries of a screen that shows a snapshot: each is answered once, by the file, and none is asked again. */
export class SnapshotQueries extends QueryClient {
  constructor(readonly snapshot: Snapshot) {
    super();
  }

  // Each query says how often it is asked: this one place says that none is.
  override defaultQueryOptions(options: object) {
    return super.defaultQueryOptions({ ...(options as Options), ...ONCE }) as never;
  }
}

const ONCE = {
  networkMode: "always",
  staleTime: Number.POSITIVE_INFINITY,
  gcTime: Number.POSITIVE_INFINITY,
  refetchInterval: false,
  refetchOnWindowFocus: false,
  refetchOnReconnect: false,
  refetchOnMount: false,
  retry: false,
} as const;

/** What a query asks: the api, or the file where its screen shows one. It throws a Problem. */
export async function ask<T>(
  { client, signal }: QueryFunctionContext,
  path: string,
  schema: z.ZodType<T>,
): Promise<T> {
  if (!(client instanceof SnapshotQueries)) {
    return fetchJSON(path, schema, signal);
  }
  const outcome = client.snapshot.outcome(path, schema);
  if (!outcome.ok) {
    throw outcome.problem;
  }
  return outcome.data;
}
