export const dynamic = "force-dynamic";

export function GET() {
  return Response.json({ status: "ok", build: process.env.ZR_BUILD_HASH });
}
