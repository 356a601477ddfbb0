import { z } from "zod";
import type { Schemas } from "./api/types";
import { apiURL } from "./api-url";
import { failed, type Outcome, type ProblemCode } from "./problem";
import { SESSION_COOKIE } from "./session";

/**
 * How long one request to the api may take, in milliseconds: longer than the 3 s
 * that the api gives Kubernetes and its dependencies, so that its reason arrives.
 */
export const UPSTREAM_TIMEOUT_MS = 4_000;

/** The same for a change, which the api answers when it has taken effect, within 60 s. */
const CHANGE_TIMEOUT_MS = 62_000;

/** The part of the api's problems that is used. */
const upstreamProblem: z.ZodType<
  Partial<Pick<Schemas["Problem"], "type" | "detail" | "dependents" | "errors">>
> = z.object({
  type: z.string().optional(),
  detail: z.string().optional(),
  dependents: z.array(z.string()).optional(),
  errors: z
    .array(
      z.object({
        location: z.string(),
        message: z.string(),
        line: z.number().int().optional(),
        column: z.number().int().optional(),
      }),
    )
    .optional(),
});

export interface Asking {
  timeoutMs?: number;
  /** The secret of who asks; without it, he is nobody in particular. */
  session?: string;
  /** A change to make; without it something is read. */
  change?: {
    method: ChangeMethod;
    /** The api does the same request under the same key once. */
    key: string;
    /** The ETag of what it is a change of. */
    match?: string;
    /** JSON. */
    body?: string;
  };
}

/** How a change is asked for. */
export type ChangeMethod = "POST" | "PUT";

/**
 * Asks the api, which answers in JSON. It never throws: what went wrong is the
 * outcome's problem.
 */
export async function askUpstream(target: string, asking: Asking): Promise<Outcome<unknown>> {
  const base = apiURL();
  if (base === undefined) {
    return failed(
      "api_unreachable",
      "API_URL of the frontend is no address such as http://api:3001",
    );
  }
  const timeoutMs = asking.timeoutMs ?? (asking.change ? CHANGE_TIMEOUT_MS : UPSTREAM_TIMEOUT_MS);
  const signal = AbortSignal.timeout(timeoutMs);
  const doing = asking.change ? `asking ${base} to do ${target}` : `reading ${target} from ${base}`;
  try {
    const response = await fetchFresh(new URL(target, base), signal, asking);
    const text = await response.text();
    const body = parseJSON(text);
    if (!response.ok) {
      return refusal(doing, response.status, body, asking.change !== undefined);
    }
    if (body === undefined) {
      return failed("api_unexpected", `${doing}: the answer is not JSON`);
    }
    return { ok: true, data: body };
  } catch (error) {
    if (signal.aborted) {
      return failed("api_timeout", `${doing}: no answer within ${timeoutMs} ms`);
    }
    return failed("api_unreachable", `${doing}: ${causeOf(error)}`);
  }
}

/**
 * Begins to read something long of the api, which takes the time it takes. It
 * never throws before the answer has begun.
 */
export async function openUpstream(
  target: string,
  { session, signal }: { session?: string; signal: AbortSignal },
): Promise<Outcome<Response>> {
  const base = apiURL();
  const doing = `reading ${target} from ${base}`;
  try {
    const response = await fetchFresh(new URL(target, base), signal, { session });
    return response.ok
      ? { ok: true, data: response }
      : refusal(doing, response.status, parseJSON(await response.text()), false);
  } catch (error) {
    return failed("api_unreachable", `${doing}: ${causeOf(error)}`);
  }
}

/** The problems of the api that say by themselves what is wrong. */
const telling: Record<string, ProblemCode> = {
  not_in_effect: "not_in_effect",
  job_failed: "job_failed",
  role_too_low: "not_allowed",
  changed_meanwhile: "changed_meanwhile",
  invalid: "invalid",
  setting_required: "invalid",
  refused_by_cluster: "invalid",
  dev_failed: "dev_failed",
  timeout: "dev_failed",
};

type UpstreamFault = Pick<Schemas["Fault"], "location" | "message" | "line" | "column">;

/** A fault of a text is where its line says; of anything else, the location is the place. */
function faultOf({ location, message, line, column }: UpstreamFault) {
  const isText = location.startsWith("body.");
  return { message: isText ? message : `${location}: ${message}`, line, column };
}

/** What the api says of a change is for the one who asked: it needs no address before it. */
function refusal(doing: string, status: number, body: unknown, isChange: boolean): Outcome<never> {
  const { type, detail, dependents, errors } = upstreamProblem.safeParse(body).data ?? {};
  const told = telling[type?.replace(/^urn:zr:problem:/, "") ?? ""];
  if (detail && told) {
    const faults = told === "invalid" ? errors?.map(faultOf) : undefined;
    return { ok: false, problem: { code: told, message: detail, faults } };
  }
  if (isChange && detail && (status === 404 || status === 409)) {
    return { ok: false, problem: { code: "refused", message: detail, dependents } };
  }
  if (status === 404 && detail && type === "urn:zr:problem:not_found") {
    return failed("not_found", detail);
  }
  if (status === 422 && errors) {
    const faults = errors.map(({ location, message }) => `${location}: ${message}`);
    return failed("bad_query", faults.join("; "));
  }
  const code = status === 401 ? "not_logged_in" : "api_error";
  return failed(code, `${doing}: ${status}${detail ? `: ${detail}` : ""}`);
}

/**
 * A kept-open connection dies with the api process that served it. That says
 * nothing about the process that replaced it, so such a request is asked again:
 * a change has a key, under which it is done once.
 */
async function fetchFresh(
  url: URL,
  signal: AbortSignal,
  { session, change }: Asking,
): Promise<Response> {
  const init: RequestInit = {
    signal,
    cache: "no-store",
    redirect: "error",
    headers: {
      accept: "application/json",
      ...(session && { cookie: `${SESSION_COOKIE}=${session}` }),
      // Whose page asks was checked here: to the api it is a page of its own.
      ...(change && { origin: url.origin, "idempotency-key": change.key }),
      ...(change?.match && { "if-match": change.match }),
      ...(change?.body && { "content-type": "application/json" }),
    },
    ...(change && { method: change.method, body: change.body }),
  };
  try {
    return await fetch(url, init);
  } catch (error) {
    if (codeOf(error) === "UND_ERR_SOCKET" || codeOf(error) === "ECONNRESET") {
      return fetch(url, init);
    }
    throw error;
  }
}

function parseJSON(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The system's error code: fetch puts it on the cause, or on the first of several. */
function codeOf(error: unknown): string | undefined {
  const cause = error instanceof Error ? error.cause : undefined;
  const code = (cause as { code?: unknown } | undefined)?.code;
  return typeof code === "string" ? code : undefined;
}

const REASONS: Record<string, string> = {
  ECONNREFUSED: "connection refused",
  ECONNRESET: "connection reset",
  EHOSTUNREACH: "no route to the host",
  ENOTFOUND: "no such host",
  EAI_AGAIN: "the name service does not answer",
  UND_ERR_SOCKET: "the connection was closed",
};

function causeOf(error: unknown): string {
  const code = codeOf(error);
  if (code) {
    return REASONS[code] ?? code;
  }
  const cause = error instanceof Error ? (error.cause ?? error) : error;
  return cause instanceof Error ? cause.message : String(cause);
}
