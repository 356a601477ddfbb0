import { z } from "zod";
import { MAX_CURSOR, SERVICE_NAME } from "./address";
import { eventTypes } from "./dev/schema";
import { ENVIRONMENT } from "./environment";
import type { ChangeMethod } from "./upstream";

/** The greatest number of entries that one request may ask for, as in the api. */
const MAX_PAGE = 500;

/** The greatest number of lines that one request may ask for, and of those around each, as in the api. */
const MAX_LINES = 1_000;
const MAX_CONTEXT = 20;

/** The longest filter of a field of a log line. */
const MAX_FIELD = 1_000;

/** The greatest number of replicas that a service may be given, as in the api. */
export const MAX_REPLICAS = 100;

/** The longest text of settings, reason of a change, and value of a secret, as the api takes them. */
const MAX_SETTINGS = 60_000;
export const MAX_REASON = 200;
const MAX_SECRET = 32_768;

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

/** Parameters that may be there several times. */
const repeated = new Map([
  ["/api/v1/logs", ["service", "field"]],
  ["/api/v1/logs/counts", ["service"]],
  ["/api/v1/logs/live", ["service", "field"]],
  ["/api/v1/logs/export", ["service", "field"]],
  ["/api/v1/dev/events", ["type"]],
]);

/** Where a view goes on: after the line or the event of an id. */
const after = z
  .string()
  .regex(/^\d{1,19}$/)
  .optional();

/** The views that stay open: the lines that come, the services as they change, and what runs of zr tell. */
export const livePaths = new Set([
  "/api/v1/logs/live",
  "/api/v1/live/services",
  "/api/v1/dev/live",
]);
/** What a file of all lines that a search finds takes. */
export const exportPath = "/api/v1/logs/export";

/** What the routes of uptime and metrics take. */
const past = z.strictObject({ ...scope, window: z.enum(["1h", "24h", "7d"]).optional() });

const page = {
  limit: z.coerce.number().int().min(1).max(MAX_PAGE).optional(),
  cursor: z.string().min(1).max(MAX_CURSOR).optional(),
};

/** Every path of the api that a browser may read through the dashboard, with the query that it takes. */
const allowed = new Map<string, z.ZodType<Record<string, unknown>>>([
  ["/api/v1/services", z.strictObject(scope)],
  ["/api/v1/overview", z.strictObject(scope)],
  ["/api/v1/environments", z.strictObject({})],
  ["/api/v1/uptime", past],
  ["/api/v1/session", z.strictObject({})],
  [
    "/api/v1/history",
    z.strictObject({
      ...scope,
      ...page,
      service: z.string().regex(SERVICE_NAME).optional(),
    }),
  ],
  [
    "/api/v1/activity",
    z.strictObject({
      ...page,
      actor: z
        .string()
        .regex(/^[ -~]{1,200}$/)
        .optional(),
      action: z
        .string()
        .regex(/^[A-Za-z]{1,64}$/)
        .optional(),
      target: z
        .string()
        .regex(/^[ -~]{1,253}$/)
        .optional(),
      outcome: z.enum(["done", "refused", "failed"]).optional(),
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
  ["/api/v1/live/services", z.strictObject(scope)],
  ["/api/v1/logs/live", z.strictObject({ ...logFilter, after })],
  [exportPath, z.strictObject({ ...logFilter, ...logRange, format: z.enum(["ndjson", "text"]) })],
  ["/api/v1/dev", z.strictObject(scope)],
  ["/api/v1/dev/live", z.strictObject({ ...scope, after })],
  ["/api/v1/dev/metrics", past],
  ["/api/v1/dev/doctor", z.strictObject(scope)],
  [
    "/api/v1/dev/events",
    z.strictObject({
      ...scope,
      limit: z.coerce.number().int().min(1).max(MAX_PAGE).optional(),
      service: z.string().regex(SERVICE_NAME).optional(),
      type: z.array(z.enum(eventTypes)).max(20).optional(),
      failed: z.literal("true").optional(),
      cursor: z.string().min(1).max(MAX_CURSOR).optional(),
    }),
  ],
]);

const CONFIGURATION = "/api/v1/configuration";
const DEV = "/api/v1/dev";
const REVISION = /^\/api\/v1\/configuration\/revisions\/[1-9]\d{0,17}(\/restore)?$/;
const SECRET = /^\/api\/v1\/configuration\/secrets\/[A-Za-z_]\w{0,252}$/;

/** The same of the configuration, by what comes after its path. */
const allowedOfConfiguration = new Map<string, z.ZodType<Record<string, unknown>>>([
  ["", z.strictObject(scope)],
  ["/schema", z.strictObject({})],
  ["/secrets", z.strictObject(scope)],
  ["/revisions", z.strictObject({ ...scope, ...page })],
]);
const revisionQuery = z.strictObject({
  ...scope,
  against: z.coerce.number().int().min(1).optional(),
});

const OF_SERVICE = /^\/api\/v1\/services\/[a-z0-9.-]{1,253}\/(\w+)$/;

/** The same of the paths of one service, by what comes after its name. */
const allowedOfService = new Map<string, z.ZodType<Record<string, unknown>>>([
  ["uptime", past],
  ["events", z.strictObject(scope)],
  ["revisions", z.strictObject(scope)],
  ["details", z.strictObject(scope)],
]);

/** Those that the api answers only to who has a session, and records where it does not. */
const forSessions = new Set([
  "/api/v1/session",
  "/api/v1/overview",
  "/api/v1/logs",
  "/api/v1/logs/counts",
  "/api/v1/dev",
  "/api/v1/dev/events",
  "/api/v1/dev/metrics",
  "/api/v1/dev/doctor",
]);

export function needsSession(path: string): boolean {
  return (
    forSessions.has(path) ||
    path.startsWith(CONFIGURATION) ||
    ["revisions", "details"].includes(OF_SERVICE.exec(path)?.[1] ?? "")
  );
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
  const schema = queryOf(path);
  return schema ? admitQuery(path, schema, query) : { kind: "unknown" };
}

/** The query that a path takes; undefined where it is not read through the dashboard. */
function queryOf(path: string): z.ZodType<Record<string, unknown>> | undefined {
  if (path.startsWith(CONFIGURATION)) {
    const isRevision = REVISION.test(path) && !path.endsWith("/restore");
    return isRevision
      ? revisionQuery
      : allowedOfConfiguration.get(path.slice(CONFIGURATION.length));
  }
  const ofService = OF_SERVICE.exec(path)?.[1];
  return ofService ? allowedOfService.get(ofService) : allowed.get(path);
}

function admitQuery(
  path: string,
  schema: z.ZodType<Record<string, unknown>>,
  query: URLSearchParams,
): Admission {
  const asked = [...new Set(query.keys())].map((key) => {
    const values = query.getAll(key);
    const several = values.length > 1 || repeated.get(path)?.includes(key);
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

/** The query and the body that a change takes; without a schema there is no body. */
interface Takes {
  query: z.ZodType<Record<string, unknown>>;
  body?: z.ZodType<Record<string, unknown>>;
}

const text = z.string().max(MAX_SETTINGS);
const reason = z.string().min(1).max(MAX_REASON);

const actions: Record<string, Takes> = {
  start: { query: scopeOnly },
  stop: { query: confirmation },
  restart: { query: scopeOnly },
  run: { query: scopeOnly },
  scale: {
    query: confirmation,
    body: z.strictObject({ replicas: z.number().int().min(0).max(MAX_REPLICAS) }),
  },
  rollback: {
    query: scopeOnly,
    body: z.strictObject({ revision: z.number().int().min(1) }),
  },
};

/** What a change takes; undefined where it is not made through the dashboard. */
function changeOf(method: ChangeMethod, path: string): Takes | undefined {
  switch (`${method} ${path}`) {
    case `POST ${CONFIGURATION}/preview`:
      return { query: scopeOnly, body: z.strictObject({ text }) };
    case `PUT ${CONFIGURATION}`:
      return { query: scopeOnly, body: z.strictObject({ text, reason }) };
    case `POST ${DEV}/rebuild`:
    case `POST ${DEV}/restart`:
      return {
        query: scopeOnly,
        body: z.strictObject({ service: z.string().regex(SERVICE_NAME) }),
      };
    case `POST ${DEV}/propose`:
      return { query: scopeOnly, body: z.strictObject({ folder: z.string().min(1).max(512) }) };
    case `POST ${DEV}/apply`:
      return { query: scopeOnly };
  }
  if (method === "PUT") {
    return SECRET.test(path)
      ? { query: confirmation, body: z.strictObject({ value: z.string().max(MAX_SECRET) }) }
      : undefined;
  }
  return REVISION.exec(path)?.[1]
    ? { query: scopeOnly, body: z.strictObject({ reason }) }
    : actions[ACTION.exec(path)?.[1] ?? ""];
}

/** The longest body of a change, in bytes: an action holds a number, and the api takes 64 KiB of a configuration. */
export function bodyLimit(path: string): number {
  return path.startsWith(CONFIGURATION) ? 65_536 : 1_024;
}

/** Says the same of a request to change something. The body is written anew, from what was parsed. */
export function admitChange(
  method: ChangeMethod,
  path: string,
  query: URLSearchParams,
  body: unknown,
): Admission & { body?: string } {
  const takes = changeOf(method, path);
  if (!takes) {
    return { kind: "unknown" };
  }
  const admission = admitQuery(path, takes.query, query);
  if (admission.kind !== "allowed" || !takes.body) {
    return admission;
  }
  const parsed = takes.body.safeParse(body);
  return parsed.success
    ? { ...admission, body: JSON.stringify(parsed.data) }
    : { kind: "bad_query", reason: z.prettifyError(parsed.error) };
}
