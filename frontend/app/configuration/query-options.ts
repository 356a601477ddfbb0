import { queryOptions } from "@tanstack/react-query";
import type { z } from "zod";
import { postJSON, putJSON } from "@/lib/fetch-json";
import { POLL_MS } from "@/lib/freshness";
import type { Problem } from "@/lib/problem";
import { requestKey } from "@/lib/request-key";
import { ask } from "@/lib/snapshot/queries";
import { withQuery } from "@/lib/with-query";
import {
  type Preview,
  previewSchema,
  revisionsSchema,
  type SecretSet,
  secretSetSchema,
  secretsSchema,
  settingsSchema,
  settingsShapeSchema,
  type Written,
  wholeRevisionSchema,
  writtenSchema,
} from "./schema";

const BASE = "/api/v1/configuration";
/** What everything that is asked here begins with in the cache. */
export const configurationKey = ["configuration"];

/** How many revisions a page has. */
const PAGE = 30;

function query<T>(path: string, schema: z.ZodType<T>) {
  return queryOptions<T, Problem>({
    queryKey: [...configurationKey, path],
    queryFn: (context) => ask(context, path, schema),
    staleTime: POLL_MS,
    retry: false,
    retryOnMount: false,
    refetchInterval: untilRefused,
  });
}

/** Each refusal is a record of the audit log: who is not logged in does not ask again by himself. */
function untilRefused({ state }: { state: { error: Problem | null } }): number | false {
  return state.error?.code === "not_logged_in" ? false : POLL_MS;
}

/** What never changes, and who may change something, is asked for until it is known. */
export function untilThere(of: {
  state: { data?: unknown; error: Problem | null };
}): number | false {
  return of.state.data === undefined && untilRefused(of);
}

export function settingsPath(environment: string | undefined): string {
  return withQuery(BASE, { environment });
}

export function settingsQuery(environment: string | undefined) {
  return query(settingsPath(environment), settingsSchema);
}

export const shapePath = `${BASE}/schema`;

/** It is of the api itself, and the same as long as that runs. */
export const shapeQuery = {
  ...query(shapePath, settingsShapeSchema),
  staleTime: Number.POSITIVE_INFINITY,
  refetchInterval: untilThere,
};

export function revisionsPath(environment: string | undefined, cursor?: string): string {
  return withQuery(`${BASE}/revisions`, { environment, limit: String(PAGE), cursor });
}

export function revisionsQuery(environment: string | undefined, cursor?: string) {
  return query(revisionsPath(environment, cursor), revisionsSchema);
}

/** One revision; its changes are those from another one, or from what is in effect. */
export function revisionQuery(environment: string | undefined, revision: number, against?: number) {
  const path = withQuery(`${BASE}/revisions/${revision}`, {
    environment,
    against: against?.toString(),
  });
  return query(path, wholeRevisionSchema);
}

export function secretsPath(environment: string | undefined): string {
  return withQuery(`${BASE}/secrets`, { environment });
}

export function secretsQuery(environment: string | undefined) {
  return query(secretsPath(environment), secretsSchema);
}

/** What a text of settings would do, as the api says it of those with an ETag. */
export function previewQuery(environment: string | undefined, text: string, etag: string) {
  return queryOptions<Preview, Problem>({
    queryKey: ["preview", environment, etag, text],
    queryFn: () =>
      postJSON(withQuery(`${BASE}/preview`, { environment }), previewSchema, {
        key: requestKey(),
        body: { text },
      }),
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 0,
    retry: false,
  });
}

/** A change of the settings, under the key of the press of a button. */
interface Change {
  environment: string | undefined;
  /** The ETag of the settings that it is a change of. */
  etag: string;
  reason: string;
  key: string;
}

/** Writes settings, and returns when that has taken effect. It throws a Problem. */
export function writeSettings({
  environment,
  etag,
  reason,
  key,
  text,
}: Change & { text: string }): Promise<Written> {
  const body = { text, reason };
  return putJSON(withQuery(BASE, { environment }), writtenSchema, { key, match: etag, body });
}

/** Goes back to a revision. It throws a Problem. */
export function restoreRevision({
  environment,
  etag,
  reason,
  key,
  revision,
}: Change & { revision: number }): Promise<Written> {
  const path = withQuery(`${BASE}/revisions/${revision}/restore`, { environment });
  return postJSON(path, writtenSchema, { key, match: etag, body: { reason } });
}

/** Gives a key of the Secret a value. It throws a Problem. */
export function setSecret(
  environment: string | undefined,
  name: string,
  { value, confirmed, key }: { value: string; confirmed: boolean; key: string },
): Promise<SecretSet> {
  const path = withQuery(`${BASE}/secrets/${encodeURIComponent(name)}`, {
    environment,
    confirm: confirmed ? "true" : undefined,
  });
  return putJSON(path, secretSetSchema, { key, body: { value } });
}
