import type { HistoryPart } from "@/lib/stack/queries";

/** The changes beside a service: as many as fit on a screen. */
export function changesOf(service: string, environment: string | undefined): HistoryPart {
  return { environment, limit: 15, service };
}
