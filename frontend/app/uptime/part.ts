import { type Query, serviceIn } from "@/lib/address";
import { environmentIn } from "@/lib/environment";
import { type UptimePart, windows } from "@/lib/stack/uptime";

/** What an address of this screen is about. */
export interface HealthPart extends UptimePart {
  /** The one service that is looked at. */
  service?: string;
}

export function partOf(query: Query): HealthPart {
  return {
    environment: environmentIn(query),
    window: windows.find((window) => window === query.window) ?? "24h",
    service: serviceIn(query),
  };
}
