/** The screens of the dashboard in the order of the navigation; "g" and the key go there. */
export const screens = [
  { href: "/", label: "Services", key: "s" },
  { href: "/logs", label: "Logs", key: "l" },
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

/** The audit log: everything or one outcome, from its newest record or from a cursor on. */
export function activityScreenPath({ outcome, cursor }: { outcome?: string; cursor?: string }) {
  return withQuery("/activity", { outcome, cursor });
}

/** The logs of one service. */
export function logsScreenPath(service: string): string {
  return withQuery("/logs", { service });
}

/** A path with those parameters that have a text. */
function withQuery(path: string, parameters: Record<string, string | undefined>): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) {
    if (value) {
      query.set(name, value);
    }
  }
  return query.size > 0 ? `${path}?${query}` : path;
}

/** Whether a path belongs to a screen: the page of a service does to Services. */
export function isOfScreen(path: string, href: string): boolean {
  return href === "/" ? path === "/" || path.startsWith("/services/") : path.startsWith(href);
}
