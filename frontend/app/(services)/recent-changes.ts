import type { HistoryPart } from "@/lib/stack/queries";

/** The changes beside the services: as many as fit on a screen. */
export function recentChanges(environment: string | undefined): HistoryPart {
  return { environment, limit: 15 };
}
