import { withQuery } from "./with-query";

/** The screens of the dashboard in the order of the navigation; "g" and the key go there. */
export const screens = [
  { href: "/", label: "Services", key: "s" },
  { href: "/logs", label: "Logs", key: "l" },
  { href: "/uptime", label: "Health", key: "u" },
  { href: "/reloads", label: "Reloads", key: "r" },
  { href: "/configuration", label: "Configuration", key: "c" },
  { href: "/setup", label: "Setup", key: "i" },
  { href: "/history", label: "History", key: "h" },
  { href: "/activity", label: "Activity", key: "a" },
] as const;

/** The screen of one service. */
export function servicePath(name: string): string {
  return `/services/${encodeURIComponent(name)}`;
}

/** The history: of all services or of one, from its newest change or from a cursor on. */
export function historyScreenPath({ service, cursor }: { service?: string; cursor?: string }) {
  return withQuery("/history", { service, cursor });
}

/** How healthy the services were: all or one, over 24 hours or another window. */
export function healthScreenPath({ service, window }: { service?: string; window?: string }) {
  return withQuery("/uptime", { service, window });
}

/** The logs of one service: those that come, or those of a time. */
export function logsScreenPath(service: string, time?: { from: string; to: string }): string {
  return withQuery("/logs", { service, ...time });
}

/** How far back somebody looks who asks what just went wrong, in minutes. */
export const ERRORS_MINUTES = 2;

/** The errors of a service: all, or those that it has just written; now is in milliseconds since the epoch. */
export function errorsScreenPath(service: string, now?: number): string {
  const from = now && new Date(now - ERRORS_MINUTES * 60_000).toISOString();
  return withQuery("/logs", { service, level: "error", from: from || undefined });
}

/** The logs of all services, of a time in milliseconds since the epoch. */
export function logsOfTimePath({ from, to }: { from: number; to: number }): string {
  return withQuery("/logs", {
    from: new Date(from).toISOString(),
    to: new Date(to).toISOString(),
  });
}

/** What zr does: of all services or of one, everything or what failed, and which event is open. */
export function reloadsScreenPath({
  service,
  failed,
  window,
  cursor,
  event,
}: {
  service?: string;
  failed?: boolean;
  window?: string;
  cursor?: string;
  event?: string;
}) {
  return withQuery("/reloads", {
    service,
    failed: failed ? "true" : undefined,
    window,
    cursor,
    event,
  });
}

/** The checklist of the environment, with the folder that is to become a service. */
export function setupScreenPath({ folder }: { folder?: string }) {
  return withQuery("/setup", { folder });
}

/** Where a snapshot is saved and opened; its screens are below, each at its own address. */
export const SNAPSHOT = "/snapshot";

/** The same, about to do one of the two. */
export function snapshotScreenPath(to: "save" | "open"): string {
  return withQuery(SNAPSHOT, { for: to });
}

/** Whether a snapshot has a screen at a place: the parts of a path. */
export function isOfSnapshot([first, second, ...more]: string[]): boolean {
  const path = `/${first ?? ""}`;
  return first === "services"
    ? second !== undefined && more.length === 0
    : second === undefined && screens.some(({ href }) => href === path);
}

/** Whether a path belongs to a screen: the page of a service does to Services. */
export function isOfScreen(path: string, href: string): boolean {
  return href === "/" ? path === "/" || path.startsWith("/services/") : path.startsWith(href);
}
