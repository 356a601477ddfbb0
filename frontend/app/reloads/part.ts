import { cursorIn, type Query, serviceIn } from "@/lib/address";
import type { EventsPart } from "@/lib/dev/queries";
import { environmentIn } from "@/lib/environment";
import { type Window, windows } from "@/lib/stack/uptime";

/** How many saves a page has. */
const PAGE = 30;

/** What an address of this screen is about. */
export interface ReloadsPart {
  environment?: string;
  /** How far the metrics reach back. */
  window: Window;
  service?: string;
  /** Whether only what failed is listed. */
  failed: boolean;
  cursor?: string;
}

export function partOf(query: Query): ReloadsPart {
  return {
    environment: environmentIn(query),
    window: windows.find((window) => window === query.window) ?? "24h",
    service: serviceIn(query),
    failed: query.failed === "true",
    cursor: cursorIn(query),
  };
}

/** The event whose details an address opens. */
export function eventIn(query: { event?: string | string[] }): number | undefined {
  const { event } = query;
  return typeof event === "string" && /^[1-9]\d{0,14}$/.test(event) ? Number(event) : undefined;
}

/** The events that tell of faults which may stand. */
export function faultsOf(environment: string | undefined): EventsPart {
  return { environment, types: ["problem"], limit: 50 };
}

/** How many events are read for the times that the environment was brought up: some ten of those. */
const STEP_EVENTS = 200;

/** The events that tell of the times that the environment was brought up. */
export function stepsOf(environment: string | undefined): EventsPart {
  return {
    environment,
    types: ["step.started", "step.done", "step.failed", "ready", "error"],
    limit: STEP_EVENTS,
  };
}

/** The saves that an address lists. */
export function savesOf({ environment, service, failed, cursor }: ReloadsPart): EventsPart {
  return { environment, types: ["reload"], limit: PAGE, service, failed, cursor };
}
