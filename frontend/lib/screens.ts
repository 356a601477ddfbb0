/** The screens of the dashboard in the order of the navigation; "g" and the key go there. */
export const screens = [
  { href: "/", label: "Services", key: "s" },
  { href: "/history", label: "History", key: "h" },
] as const;

/** The screen of one service. */
export function servicePath(name: string): string {
  return `/services/${encodeURIComponent(name)}`;
}

/** The history: of all services or of one, from its newest change or from a cursor on. */
export function historyScreenPath({ service, cursor }: { service?: string; cursor?: string }) {
  const query = new URLSearchParams();
  if (service) {
    query.set("service", service);
  }
  if (cursor) {
    query.set("cursor", cursor);
  }
  return query.size > 0 ? `/history?${query}` : "/history";
}

/** Whether a path belongs to a screen: the page of a service does to Services. */
export function isOfScreen(path: string, href: string): boolean {
  return href === "/" ? path === "/" || path.startsWith("/services/") : path.startsWith(href);
}
