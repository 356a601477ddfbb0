import { z } from "zod";
import { ENVIRONMENT } from "./environment";

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

/** What every route takes that is about one environment. */
const scope = { environment: z.string().regex(ENVIRONMENT).optional() };

/** What all routes of logs take, as the api bounds it. */
const logFilter = {
  ...scope,
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

/** What the routes of uptime take. */
const past = z.strictObject({ ...scope, window: z.enum(["1h", "24h", "7d"]).optional() });

/** Every path of the api that a browser may read through the dashboard, with the query that it takes. */
const allowed = new Map<string, z.ZodType<Record<string, unknown>>>([
  ["/api/v1/services", z.strictObject(scope)],
  ["/api/v1/environments", z.strictObject({})],
  ["/api/v1/uptime", past],
  ["/api/v1/session", z.strictObject({})],
  [
    "/api/v1/history",
    z.strictObject({
      ...scope,
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
      ...scope,
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

const OF_SERVICE = /^\/api\/v1\/services\/[a-z0-9.-]{1,253}\/(\w+)$/;

/** The same of the paths of one service, by what comes after its name. */
const allowedOfService = new Map<string, z.ZodType<Record<string, unknown>>>([
  ["uptime", past],
  ["events", z.strictObject(scope)],
  ["revisions", z.strictObject(scope)],
]);

/** Those that the api answers only to who has a session, and records where it does not. */
const forSessions = new Set(["/api/v1/session", "/api/v1/logs", "/api/v1/logs/counts"]);

export function needsSession(path: string): boolean {
  return forSessions.has(path) || OF_SERVICE.exec(path)?.[1] === "revisions";
}

export type Admission =
  | { kind: "allowed"; target: string }
  | { kind: "unknown" }
  | { kind: "bad_query"; reason: string };

/**
 * Says whether a request is forwarded, and as what. The target is put together
 * from the list and the parsed query, never copied from the request.
 */
export function admit(path: string, query: URLSearchParams): Admission {
  const ofService = OF_SERVICE.exec(path)?.[1];
  const schema = ofService ? allowedOfService.get(ofService) : allowed.get(path);
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

const ACTION = /^\/api\/v1\/services\/[a-z0-9.-]{1,253}\/(start|stop|restart|scale|rollback|run)$/;
const confirmation = z.strictObject({ ...scope, confirm: z.literal("true").optional() });
const scopeOnly = z.strictObject(scope);

/** The bodies that actions have. */
const bodies = new Map<string, z.ZodType<Record<string, unknown>>>([
  ["scale", z.strictObject({ replicas: z.number().int().min(0).max(MAX_REPLICAS) })],
  ["rollback", z.strictObject({ revision: z.number().int().min(1) })],
]);

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
  const admission = admitQuery(path, mayEnd ? confirmation : scopeOnly, query);
  const schema = bodies.get(action);
  if (admission.kind !== "allowed" || !schema) {
    return admission;
  }
  const parsed = schema.safeParse(body);
  return parsed.success
    ? { ...admission, body: JSON.stringify(parsed.data) }
    : { kind: "bad_query", reason: z.prettifyError(parsed.error) };
}
