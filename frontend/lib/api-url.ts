const FALLBACK = "http://localhost:3001";

/**
 * The api's base address from API_URL, without credentials, path or query, so
 * that it may stand in a message. It is read on each call: it belongs to the
 * running process, not to the build.
 */
export function apiURL(): string {
  return new URL(process.env.API_URL || FALLBACK).origin;
}
