import type { z } from "zod";
import { serverClock } from "./clock";
import { decode } from "./decode";
import { failed, type Outcome, problemBody } from "./problem";
import { sessionWatch } from "./session-watch";

/**
 * How long the browser waits for the dashboard's own server, in milliseconds:
 * longer than that one waits for the api, so that its reason arrives.
 */
const TIMEOUT_MS = 6_000;

/** The same for a change, which takes effect within 60 s or is said not to have. */
const CHANGE_TIMEOUT_MS = 65_000;

/**
 * Reads a JSON document in the browser through the dashboard's own server. It
 * throws a Problem, or the signal's reason once that is aborted.
 */
export async function fetchJSON<T>(
  path: string,
  schema: z.ZodType<T>,
  signal: AbortSignal,
): Promise<T> {
  return dataOf(
    await request(path, schema, {
      signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]),
      headers: { accept: "application/json" },
    }).catch((error) => {
      signal.throwIfAborted();
      return unreachable(path, error);
    }),
  );
}

/** What a change takes beside its path. */
interface Change {
  /** The api does the same request under the same key once. */
  key: string;
  /** The ETag of what it is a change of. */
  match?: string;
  body?: unknown;
}

/** Asks for a change through the dashboard's own server. It throws a Problem. */
export function postJSON<T>(path: string, schema: z.ZodType<T>, change: Change): Promise<T> {
  return send("POST", path, schema, change);
}

/** The same of one that says what something is to be. */
export function putJSON<T>(path: string, schema: z.ZodType<T>, change: Change): Promise<T> {
  return send("PUT", path, schema, change);
}

async function send<T>(
  method: string,
  path: string,
  schema: z.ZodType<T>,
  { key, match, body }: Change,
): Promise<T> {
  return dataOf(
    await request(path, schema, {
      method,
      signal: AbortSignal.timeout(CHANGE_TIMEOUT_MS),
      headers: {
        accept: "application/json",
        "idempotency-key": key,
        ...(match && { "if-match": match }),
        ...(body !== undefined && { "content-type": "application/json" }),
      },
      body: body === undefined ? undefined : JSON.stringify(body),
    }).catch((error) => unreachable(path, error)),
  );
}

function dataOf<T>(outcome: Outcome<T>): T {
  if (!outcome.ok) {
    throw outcome.problem;
  }
  return outcome.data;
}

async function request<T>(
  path: string,
  schema: z.ZodType<T>,
  init: RequestInit,
): Promise<Outcome<T>> {
  const session = sessionWatch.current();
  const asked = Date.now();
  const response = await fetch(path, init);
  serverClock.heard(response.headers.get("date"), asked, Date.now());
  const text = await response.text();
  const outcome = response.ok
    ? decode(path, schema, JSON.parse(text))
    : refused(path, response.status, text);
  if (!outcome.ok && outcome.problem.code === "not_logged_in") {
    sessionWatch.refused(session);
  }
  return outcome;
}

function unreachable(path: string, error: unknown) {
  const reason = error instanceof Error ? error.message : String(error);
  return failed("frontend_unreachable", `reading ${path}: ${reason}`);
}

/** An answer that is not a problem in JSON comes from whatever stands before the dashboard's server. */
function refused(path: string, status: number, text: string): Outcome<never> {
  try {
    const problem = problemBody.parse(JSON.parse(text)).error;
    return { ok: false, problem };
  } catch {
    return failed("frontend_unreachable", `reading ${path}: status ${status}`);
  }
}
