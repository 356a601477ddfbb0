import type { State } from "./stack/schema";

/** What stands in the corner of the icon: shapes of their own, as on the page. */
const marks: Record<State | "unknown", string> = {
  healthy: '<circle cx="24" cy="24" r="8" fill="#17703c"/>',
  starting: '<circle cx="24" cy="24" r="6" fill="none" stroke="#b97900" stroke-width="4"/>',
  unhealthy: '<path d="M16 16h16v16H16z" fill="#d42d22"/>',
  pending:
    '<circle cx="24" cy="24" r="6" fill="none" stroke="#7c828d" stroke-width="4" stroke-dasharray="4 3"/>',
  unknown: '<path d="M16 24h16" stroke="#7c828d" stroke-width="5"/>',
};

/** The icon of a tab whose stack, or service, is in a state: the letters of zr with a mark, as a data URL. */
export function tabIcon(state: State | "unknown"): string {
  const letters =
    '<path d="M4 5h13L4 21h10M18 21v-6a5 5 0 0 1 6-5" fill="none" stroke="#4f7df0" stroke-width="4" stroke-linecap="round" stroke-linejoin="round"/>';
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32">${letters}${marks[state]}</svg>`;
  return `data:image/svg+xml,${encodeURIComponent(svg)}`;
}
