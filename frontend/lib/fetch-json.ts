import type { z } from "zod";
import { decode } from "./decode";
import { failed, type Outcome, problemBody } from "./problem";

/**
 * How long the browser waits for the dashboard's own server, in milliseconds:
 * longer than that one waits for the api, so that its reason arrives.
 */
const TIMEOUT_MS = 6_000;

/**
 * Reads a JSON document in the browser through the dashboard's own server. It
 * throws a Problem, or the signal's reason once that is aborted.
 */
export async function fetchJSON<T>(
  path: string,
  schema: z.ZodType<T>,
  signal: AbortSignal,
): Promise<T> {
  const outcome = await request(path, schema, signal);
  if (!outcome.ok) {
    throw outcome.problem;
  }
  return outcome.data;
}

async function request<T>(
  path: string,
  schema: z.ZodType<T>,
  signal: AbortSignal,
): Promise<Outcome<T>> {
  try {
    const response = await fetch(path, {
      signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]),
      headers: { accept: "application/json" },
    });
    const text = await response.text();
    return response.ok
      ? decode(path, schema, JSON.parse(text))
      : refused(path, response.status, text);
  } catch (error) {
    signal.throwIfAborted();
    const reason = error instanceof Error ? error.message : String(error);
    return failed("frontend_unreachable", `reading ${path}: ${reason}`);
  }
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
