import { environmentIn } from "@/lib/environment";
import type { HistoryPart } from "@/lib/stack/queries";

/** How many changes a page of the history has. */
const PAGE = 50;

/** The part of the history that an address asks for: the address is all that the screen remembers. */
export function partOf(query: Record<string, string | string[] | undefined>): HistoryPart {
  return {
    environment: environmentIn(query),
    limit: PAGE,
    service: one(query.service),
    cursor: one(query.cursor),
  };
}

/** A parameter that is there once, with a text. */
function one(value: string | string[] | undefined): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}
