import { z } from "zod";

/** The greatest number of entries that one request may ask for, as in the api. */
const MAX_PAGE = 500;

/** The greatest number of lines that one request may ask for, and of those around each, as in the api. */
const MAX_LINES = 1_000;
const MAX_CONTEXT = 20;

/** A name of a service, and the longest cursor, as the api takes them. */
const SERVICE_NAME = /^[a-z0-9.-]{1,253}$/;
const MAX_CURSOR = 64;
/** The longest filter of a field of a log line. */
const MAX_FIELD = 1_000;

/** The greatest number of replicas that a service may be given, as in the api. */
export const MAX_REPLICAS = 100;

/** What all routes of logs take, as the api bounds it. */
const logFilter = {
  service: z.array(z.string().regex(SERVICE_NAME)).max(50).optional(),
  level: z.enum(["debug", "info", "warning", "error"]).optional(),
  text: z.string().min(1).max(500).optional(),
  regexp: z.string().min(1).max(500).optional(),
  field: z.array(z.string().min(1).max(MAX_FIELD)).max(10).optional(),
};
const logRange = {
  from: z.iso.datetime({ offset: true }).optional(),
  to: z.iso.datetime({ offset: true }).optional(),
};

/** Parameters of logs that may be there several times. */
const repeated = new Set(["service", "field"]);

/** What a view of the lines that come takes. */
export const livePath = "/api/v1/logs/live";
/** What a file of all lines that a search finds takes. */
export const exportPath = "/api/v1/logs/export";

/** Every path of the api that a browser may read through the dashboard, with the query that it takes. */
const allowed = new Map<string, z.ZodType<Record<string, unknown>>>([
  ["/api/v1/services", z.strictObject({})],
  ["/api/v1/session", z.strictObject({})],
  [
    "/api/v1/history",
    z.strictObject({
      limit: z.coerce.number().int().min(1).max(MAX_PAGE).optional(),
      service: z.string().regex(SERVICE_NAME).optional(),
      cursor: z.string().min(1).max(MAX_CURSOR).optional(),
    }),
  ],
  [
    "/api/v1/activity",
    z.strictObject({
      limit: z.coerce.number().int().min(1).max(MAX_PAGE).optional(),
      outcome: z.enum(["done", "refused", "failed"]).optional(),
      cursor: z.string().min(1).max(MAX_CURSOR).optional(),
    }),
  ],
  [
    "/api/v1/logs",
    z.strictObject({
      ...logFilter,
      ...logRange,
      limit: z.coerce.number().int().min(1).max(MAX_LINES).optional(),
      context: z.coerce.number().int().min(0).max(MAX_CONTEXT).optional(),
      order: z.enum(["newest", "oldest"]).optional(),
      cursor: z.string().min(1).max(MAX_CURSOR).optional(),
    }),
  ],
  [
    "/api/v1/logs/counts",
    z.strictObject({
      ...logRange,
      service: logFilter.service,
      level: logFilter.level,
      every: z.coerce.number().int().min(60).max(86_400).optional(),
    }),
  ],
  [
    livePath,
    z.strictObject({
      ...logFilter,
      after: z
        .string()
        .regex(/^\d{1,19}$/)
        .optional(),
    }),
  ],
  [exportPath, z.strictObject({ ...logFilter, ...logRange, format: z.enum(["ndjson", "text"]) })],
]);

/** Those that the api answers only to who has a session, and records where it does not. */
export const needsSession = new Set(["/api/v1/session", "/api/v1/logs", "/api/v1/logs/counts"]);

export type Admission =
  | { kind: "allowed"; target: string }
  | { kind: "unknown" }
  | { kind: "bad_query"; reason: string };

/**
 * Says whether a request is forwarded, and as what. The target is put together
 * from the list and the parsed query, never copied from the request.
 */
export function admit(path: string, query: URLSearchParams): Admission {
  const schema = allowed.get(path);
  if (!schema) {
    return { kind: "unknown" };
  }
  return admitQuery(path, schema, query);
}

function admitQuery(
  path: string,
  schema: z.ZodType<Record<string, unknown>>,
  query: URLSearchParams,
): Admission {
  const asked = [...new Set(query.keys())].map((key) => {
    const values = query.getAll(key);
    const several = values.length > 1 || (path.startsWith("/api/v1/logs") && repeated.has(key));
    return [key, several ? values : values[0]];
  });
  const parsed = schema.safeParse(Object.fromEntries(asked));
  if (!parsed.success) {
    return { kind: "bad_query", reason: z.prettifyError(parsed.error) };
  }
  const known = Object.entries(parsed.data).flatMap(([key, value]) =>
    [value].flat().map((each) => [key, String(each)]),
  );
  const search = new URLSearchParams(known).toString();
  return { kind: "allowed", target: search ? `${path}?${search}` : path };
}

const ACTION = /^\/api\/v1\/services\/[a-z0-9.-]{1,253}\/(start|stop|restart|scale)$/;
const confirmation = z.strictObject({ confirm: z.literal("true").optional() });
const nothing = z.strictObject({});
const scaleBody = z.strictObject({ replicas: z.number().int().min(0).max(MAX_REPLICAS) });

/** Says the same of a request to change a service. The body is written anew, from what was parsed. */
export function admitAction(
  path: string,
  query: URLSearchParams,
  body: unknown,
): Admission & { body?: string } {
  const action = ACTION.exec(path)?.[1];
  if (!action) {
    return { kind: "unknown" };
  }
  const mayEnd = action === "stop" || action === "scale";
  const admission = admitQuery(path, mayEnd ? confirmation : nothing, query);
  if (admission.kind !== "allowed" || action !== "scale") {
    return admission;
  }
  const parsed = scaleBody.safeParse(body);
  return parsed.success
    ? { ...admission, body: JSON.stringify(parsed.data) }
    : { kind: "bad_query", reason: z.prettifyError(parsed.error) };
}
