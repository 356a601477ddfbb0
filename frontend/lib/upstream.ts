import { z } from "zod";
import type { Schemas } from "./api/types";
import { apiURL } from "./api-url";
import { failed, type Outcome } from "./problem";
import { SESSION_COOKIE } from "./session";

/**
 * How long one request to the api may take, in milliseconds: longer than the 3 s
 * that the api gives Kubernetes and its dependencies, so that its reason arrives.
 */
export const UPSTREAM_TIMEOUT_MS = 4_000;

/** The part of the api's problems that is shown. */
const upstreamProblem: z.ZodType<Pick<Schemas["Problem"], "detail">> = z.object({
  detail: z.string(),
});

/**
 * Reads a JSON document of the api. It never throws: what went wrong is the
 * outcome's problem.
 */
export async function getUpstream(
  target: string,
  {
    timeoutMs = UPSTREAM_TIMEOUT_MS,
    session,
  }: {
    timeoutMs?: number;
    /** The secret of who asks; without it, he is nobody in particular. */
    session?: string;
  } = {},
): Promise<Outcome<unknown>> {
  const base = apiURL();
  if (base === undefined) {
    return failed(
      "api_unreachable",
      "API_URL of the frontend is no address such as http://api:3001",
    );
  }
  const signal = AbortSignal.timeout(timeoutMs);
  const doing = `reading ${target} from ${base}`;
  try {
    const response = await fetchFresh(new URL(target, base), signal, session);
    const text = await response.text();
    const body = parseJSON(text);
    if (!response.ok) {
      const said = upstreamProblem.safeParse(body).data?.detail;
      const code = response.status === 401 ? "not_logged_in" : "api_error";
      return failed(code, `${doing}: ${response.status}${said ? `: ${said}` : ""}`);
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
 * A kept-open connection dies with the api process that served it. That says
 * nothing about the process that replaced it, so such a request is asked again.
 */
async function fetchFresh(
  url: URL,
  signal: AbortSignal,
  session: string | undefined,
): Promise<Response> {
  const init: RequestInit = {
    signal,
    cache: "no-store",
    redirect: "error",
    headers: {
      accept: "application/json",
      ...(session && { cookie: `${SESSION_COOKIE}=${session}` }),
    },
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
