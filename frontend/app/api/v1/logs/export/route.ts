import { forwardExport } from "@/lib/forward";

export const dynamic = "force-dynamic";

export function GET(request: Request): Promise<Response> {
  return forwardExport(request);
}
