const FALLBACK = "http://localhost:3001";

/**
 * The api's base address from API_URL, without credentials, path or query, so
 * that it may stand in a message; undefined where API_URL is none. It is read
 * on each call: it belongs to the running process, not to the build.
 */
export function apiURL(): string | undefined {
  const text = process.env.API_URL || FALLBACK;
  const url = URL.canParse(text) ? new URL(text) : undefined;
  return url?.protocol === "http:" || url?.protocol === "https:" ? url.origin : undefined;
}
