import { z } from "zod";
import { inertText } from "./inert-text";

/** What can keep the dashboard from showing live data, from the browser inwards. */
export const problemCodes = [
  /** The page's own server does not answer. */
  "frontend_unreachable",
  /** The dashboard does not forward this request. */
  "not_forwarded",
  /** The request is one of those that are forwarded, but its query is not valid. */
  "bad_query",
  /** Nothing answers at API_URL. */
  "api_unreachable",
  /** The api took longer than the dashboard waits. */
  "api_timeout",
  /** The api answers this only to who is logged in. */
  "not_logged_in",
  /** There is no such environment, or no such service in it. */
  "not_found",
  /** A page of another origin asks for a change. */
  "foreign_page",
  /** The role of who is logged in does not allow it. */
  "not_allowed",
  /** The api did not do it, and says why: others depend on it, or there is no such service. */
  "refused",
  /** What was asked about was changed by somebody else since it was read. */
  "changed_meanwhile",
  /** What was written is wrong: the faults say where and why. */
  "invalid",
  /** The attached `zr dev` did not do it, or did not say that it has. */
  "dev_failed",
  /** A Job was run again, and failed. */
  "job_failed",
  /** The change is written, and has not taken effect in time. */
  "not_in_effect",
  /** The api answered with an error of its own. */
  "api_error",
  /** The api answered with something that this dashboard does not understand. */
  "api_unexpected",
  /** A snapshot is shown, and its file does not have it. */
  "not_in_snapshot",
] as const;

export type ProblemCode = (typeof problemCodes)[number];

/**
 * A failure as a plain value: it crosses from the server to the page, and from
 * the proxy to the browser as the `error` of a JSON body.
 */
export interface Problem {
  code: ProblemCode;
  /** What failed and why, in one line, without anything secret. */
  message: string;
  /** The services that would lose what they need, where that is why it was refused. */
  dependents?: string[];
  /** What is wrong with a text, where that is why it was refused. */
  faults?: Fault[];
}

const fault = z.object({
  message: inertText,
  /** From 1, where the place is known. */
  line: z.number().int().optional(),
  column: z.number().int().optional(),
});
/** One thing that is wrong with a text. */
export type Fault = z.infer<typeof fault>;

export const problemBody = z.object({
  error: z.object({
    code: z.enum(problemCodes),
    message: inertText,
    dependents: z.array(z.string()).optional(),
    faults: z.array(fault).optional(),
  }),
});

/** The HTTP status that the proxy answers a problem with: the one place where they meet. */
export const problemStatus: Record<ProblemCode, number> = {
  frontend_unreachable: 502,
  not_forwarded: 404,
  bad_query: 400,
  api_unreachable: 502,
  api_timeout: 504,
  not_logged_in: 401,
  not_found: 404,
  foreign_page: 403,
  not_allowed: 403,
  refused: 409,
  changed_meanwhile: 412,
  invalid: 422,
  dev_failed: 502,
  job_failed: 502,
  not_in_effect: 504,
  api_error: 502,
  api_unexpected: 502,
  not_in_snapshot: 404,
};

/** Data, or the reason why there is none. */
export type Outcome<T> = { ok: true; data: T } | { ok: false; problem: Problem };

export function failed(code: ProblemCode, message: string): { ok: false; problem: Problem } {
  return { ok: false, problem: { code, message } };
}
