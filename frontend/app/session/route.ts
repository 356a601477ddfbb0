import { sessionIn } from "@/lib/session";
import { sessionMark } from "@/lib/session-mark";

/**
 * The mark of the session that the browser has now. The api is not asked: it
 * records whom it refuses, and a page looks here until somebody has logged in.
 */
export function GET(request: Request): Response {
  return Response.json(
    { mark: sessionMark(sessionIn(request.headers.get("cookie"))) },
    { headers: { "cache-control": "no-store" } },
  );
}
