import { type Admission, admit, admitChange, bodyLimit, needsSession } from "./allow-list";
import { isOwnOrigin } from "./hosts";
import { failed, type Outcome, problemStatus } from "./problem";
import { sessionIn } from "./session";
import { type Asking, askUpstream, type ChangeMethod, openUpstream } from "./upstream";

const HEADERS = { "cache-control": "no-store" };

/** A key under which the api does a request once; pages make one for each press of a button. */
const KEY = /^[\w-]{1,64}$/;

/** The ETag of what is changed, as the api makes it. */
const MATCH = /^"[\w.-]{1,62}"$/;

/** Answers a GET of the browser with what the api says, where the allow-list has it. */
export async function forward(request: Request, timeoutMs?: number): Promise<Response> {
  const { pathname, searchParams } = new URL(request.url);
  const session = sessionIn(request.headers.get("cookie"));
  // The api records each refusal: who has no session need not ask whose it is.
  if (needsSession(pathname) && !session) {
    return answer(failed("not_logged_in", "this browser has no session of the api"));
  }
  return answer(await outcomeOf(pathname, admit(pathname, searchParams), { timeoutMs, session }));
}

/** Passes a change on to the api, where a page of this dashboard asks for it. */
export async function forwardChange(request: Request, timeoutMs?: number): Promise<Response> {
  const origin = request.headers.get("origin");
  if (!isOwnOrigin(origin, request.headers.get("host"))) {
    return answer(failed("foreign_page", `a page of ${origin ?? "no origin"} asks for a change`));
  }
  const key = request.headers.get("idempotency-key") ?? "";
  if (!KEY.test(key)) {
    return answer(failed("bad_query", "a change needs an Idempotency-Key of 1 to 64 letters"));
  }
  const match = request.headers.get("if-match") ?? undefined;
  if (match !== undefined && !MATCH.test(match)) {
    return answer(failed("bad_query", "If-Match takes an ETag of the api"));
  }
  const { pathname, searchParams } = new URL(request.url);
  const method: ChangeMethod = request.method === "PUT" ? "PUT" : "POST";
  const body = await jsonBody(request, bodyLimit(pathname));
  const admission = admitChange(method, pathname, searchParams, body);
  return answer(
    await outcomeOf(pathname, admission, {
      timeoutMs,
      session: sessionIn(request.headers.get("cookie")),
      change: { method, key, match, body: admission.body },
    }),
  );
}

/** The body in JSON; undefined where there is none, where it is too long, or something else. */
async function jsonBody(request: Request, limit: number): Promise<unknown> {
  const length = Number(request.headers.get("content-length"));
  if (!(length > 0 && length <= limit)) {
    return undefined;
  }
  try {
    return await request.json();
  } catch {
    return undefined;
  }
}

/** Passes a file of log lines through as it comes. What ends early breaks the connection, as the api does. */
export async function forwardExport(request: Request): Promise<Response> {
  const { pathname, searchParams } = new URL(request.url);
  const admission = admit(pathname, searchParams);
  const session = sessionIn(request.headers.get("cookie"));
  if (admission.kind !== "allowed") {
    return answer(await outcomeOf(pathname, admission, {}));
  }
  const outcome = await openUpstream(admission.target, { session, signal: request.signal });
  if (!outcome.ok) {
    return answer(outcome);
  }
  const { body, headers } = outcome.data;
  const kept = ["content-type", "content-disposition"].map((name): [string, string] => [
    name,
    headers.get(name) ?? "",
  ]);
  return new Response(body, { headers: [...kept, ...Object.entries(HEADERS)] });
}

function answer(outcome: Outcome<unknown>): Response {
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
  admission: Admission,
  asking: Asking,
): Promise<Outcome<unknown>> {
  switch (admission.kind) {
    case "unknown":
      return failed("not_forwarded", `${path} is not forwarded to the api`);
    case "bad_query":
      return failed("bad_query", `the query of ${path} is not valid: ${admission.reason}`);
    case "allowed":
      return askUpstream(admission.target, asking);
  }
}
