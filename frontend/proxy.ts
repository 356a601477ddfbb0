import { type NextRequest, NextResponse } from "next/server";
import { isAllowedHost } from "./lib/hosts";

/** Turns away requests under a name that somebody else could own. */
export function proxy(request: NextRequest): NextResponse {
  const host = request.headers.get("host");
  if (isAllowedHost(host)) {
    return NextResponse.next();
  }
  return new NextResponse(
    `The dashboard does not answer under the name ${JSON.stringify(host)}.\nhint: add it to ALLOWED_HOSTS\n`,
    { status: 421, headers: { "content-type": "text/plain; charset=utf-8" } },
  );
}

/** Probes and static files say nothing that is worth protecting. */
export const config = { matcher: ["/((?!health$|_next/|icon).*)"] };
