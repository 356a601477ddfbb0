import { SERVICE_NAME } from "@/lib/address";
import { withQuery } from "@/lib/with-query";

export const views = ["table", "graph"] as const;
export type View = (typeof views)[number];

/** What the screen remembers: it is its address. */
export interface OverviewState {
  view: View;
  /** In the graph: only what this service needs, and what needs it. */
  service?: string;
}

/** Reads an address. What is not understood is left out. */
export function parseState(query: URLSearchParams): OverviewState {
  const view = views.find((each) => each === query.get("view")) ?? "table";
  const service = SERVICE_NAME.exec(query.get("service") ?? "")?.[0];
  return view === "graph" && service ? { view, service } : { view };
}

/** Writes an address, without what every address means. */
export function statePath({ view, service }: OverviewState): string {
  return view === "graph" ? withQuery("/", { view, service }) : "/";
}
