import type { Outage, PastState, UptimeSummary, Window } from "./uptime";

/** A share of time: "100 %" only where nothing was lacking, "99.98 %" else. */
export function percent(share: number): string {
  const hundredths = Math.floor(share * 10_000 + 1e-6) / 100;
  return `${hundredths === 100 ? "100" : hundredths.toFixed(hundredths < 10 ? 1 : 2)} %`;
}

export const windowText: Record<Window, string> = { "1h": "1 h", "24h": "24 h", "7d": "7 d" };

export const pastStateText: Record<PastState, string> = {
  healthy: "healthy",
  unhealthy: "unhealthy",
  starting: "starting",
  stopped: "stopped",
  unknown: "not looked at",
};

/** How an outage ended, in words. */
export const endText: Record<Outage["end"], string> = {
  healthy: "until it was healthy again",
  stopped: "until it was stopped",
  unseen: "until nobody looked any more",
  lasting: "and it goes on",
};

/** What a strip shows, for who does not see it. */
export function stripLabel(
  { service, points }: Pick<UptimeSummary, "service" | "points">,
  window: Window,
): string {
  const bad = points.filter(({ state }) => state === "unhealthy").length;
  const unknown = points.filter(({ state }) => state === "unknown").length;
  const parts = [
    bad === 0 ? "never unhealthy" : `unhealthy in ${bad} of ${points.length} steps`,
    unknown > 0 && `not looked at in ${unknown}`,
  ].filter(Boolean);
  return `${service} in the last ${windowText[window]}: ${parts.join(", ")}`;
}
