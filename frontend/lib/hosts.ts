import { isIP } from "node:net";

/**
 * Says whether a request's Host may be answered. A page of another site cannot
 * read this one, unless its own name is made to point here (DNS rebinding);
 * such a name is a public one, so those must be listed in ALLOWED_HOSTS
 * (comma-separated), as for the api. Addresses, localhost and the cluster's own
 * names cannot be claimed by anybody else.
 */
export function isAllowedHost(host: string | null, allowed = process.env.ALLOWED_HOSTS): boolean {
  if (!host) {
    return false;
  }
  const name = hostname(host);
  return (
    isIP(name) !== 0 ||
    !name.includes(".") ||
    name.endsWith(".localhost") ||
    name.endsWith(".svc") ||
    name.endsWith(".svc.cluster.local") ||
    (allowed ?? "").split(",").some((entry) => entry.trim().toLowerCase() === name)
  );
}

function hostname(host: string): string {
  const bracketed = /^\[([^\]]+)\]/.exec(host);
  return (bracketed?.[1] ?? host.replace(/:\d+$/, "")).replace(/\.$/, "").toLowerCase();
}

/** Whether a page is of the address that it asks; that this is one of ours was checked before. */
export function isOwnOrigin(origin: string | null, host: string | null): boolean {
  return host !== null && (origin === `http://${host}` || origin === `https://${host}`);
}
