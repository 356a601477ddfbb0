import { forward, forwardChange } from "@/lib/forward";

export const dynamic = "force-dynamic";

export function GET(request: Request): Promise<Response> {
  return forward(request);
}

export function POST(request: Request): Promise<Response> {
  return forwardChange(request);
}

export function PUT(request: Request): Promise<Response> {
  return forwardChange(request);
}
