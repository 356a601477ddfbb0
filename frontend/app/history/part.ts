import { cursorIn, type Query, serviceIn } from "@/lib/address";
import { environmentIn } from "@/lib/environment";
import type { HistoryPart } from "@/lib/stack/queries";

/** How many changes a page of the history has. */
const PAGE = 50;

/** The part of the history that an address asks for: the address is all that the screen remembers. */
export function partOf(query: Query): HistoryPart {
  return {
    environment: environmentIn(query),
    limit: PAGE,
    service: serviceIn(query),
    cursor: cursorIn(query),
  };
}
