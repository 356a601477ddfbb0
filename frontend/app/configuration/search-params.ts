import { cursorIn, type Query } from "@/lib/address";
import { environmentIn } from "@/lib/environment";
import { withQuery } from "@/lib/with-query";

export const tabs = ["settings", "revisions", "secrets"] as const;
export type Tab = (typeof tabs)[number];

export const views = ["form", "text"] as const;
/** How the settings are written: a field for each, or all as YAML. */
export type View = (typeof views)[number];

/** All that the screen remembers, but for what is not saved yet: it is its address. */
export interface ConfigurationPart {
  environment?: string;
  tab: Tab;
  view: View;
  /** The revision that is looked at. */
  revision?: number;
  /** Another one that it is compared with; without one it is compared with what is in effect. */
  against?: number;
  /** Where a page of revisions begins. */
  cursor?: string;
}

/** Reads an address. What is not understood is left out. */
export function partOf(query: Query): ConfigurationPart {
  const revision = numberIn(query.revision);
  const against = revision && numberIn(query.against);
  return {
    environment: environmentIn(query),
    tab: tabs.find((tab) => tab === query.tab) ?? "settings",
    view: views.find((view) => view === query.view) ?? "form",
    revision,
    against: against === revision ? undefined : against,
    cursor: cursorIn(query),
  };
}

function numberIn(text: string | string[] | undefined): number | undefined {
  return typeof text === "string" && /^[1-9]\d{0,14}$/.test(text) ? Number(text) : undefined;
}

/** The address of a part; links stay in the environment by themselves. */
export function placeOf({
  tab,
  view,
  ...rest
}: Partial<Omit<ConfigurationPart, "environment">>): string {
  return withQuery("/configuration", {
    tab: tab === "settings" ? undefined : tab,
    view: view === "form" ? undefined : view,
    revision: rest.revision?.toString(),
    against: rest.against?.toString(),
    cursor: rest.cursor,
  });
}
