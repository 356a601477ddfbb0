import { admit } from "./allow-list";
import { failed, type Outcome, problemStatus } from "./problem";
import { sessionIn } from "./session";
import { getUpstream } from "./upstream";

const HEADERS = { "cache-control": "no-store" };

/** Answers a GET of the browser with what the api says, where the allow-list has it. */
export async function forward(request: Request, timeoutMs?: number): Promise<Response> {
  const { pathname, searchParams } = new URL(request.url);
  const session = sessionIn(request.headers.get("cookie"));
  const outcome = await outcomeOf(pathname, searchParams, { timeoutMs, session });
  if (outcome.ok) {
    return Response.json(outcome.data, { headers: HEADERS });
  }
  const { problem } = outcome;
  return Response.json(
    { error: problem },
    { status: problemStatus[problem.code], headers: HEADERS },
  );
}

async function outcomeOf(
  path: string,
  query: URLSearchParams,
  asking: { timeoutMs?: number; session?: string },
): Promise<Outcome<unknown>> {
  const admission = admit(path, query);
  switch (admission.kind) {
    case "unknown":
      return failed("not_forwarded", `${path} is not forwarded to the api`);
    case "bad_query":
      return failed("bad_query", `the query of ${path} is not valid: ${admission.reason}`);
    case "allowed":
      return getUpstream(admission.target, asking);
  }
}
