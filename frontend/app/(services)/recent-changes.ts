import type { HistoryPart } from "@/lib/stack/queries";

/** The changes beside the services: as many as fit on a screen. */
export const recentChanges: HistoryPart = { limit: 15 };
