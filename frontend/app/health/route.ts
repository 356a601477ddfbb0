import { version } from "@/package.json";

export const dynamic = "force-dynamic";

/**
 * The health of this process alone: were the api's part of it, an api that is
 * away would take the page away that says so.
 */
export function GET(): Response {
  return Response.json(
    { status: "ok", build: process.env.ZR_BUILD_HASH ?? "", version },
    { headers: { "cache-control": "no-store" } },
  );
}
