/** How often the dashboard asks the api, in milliseconds. */
export const POLL_MS = 2_000;

/**
 * Data older than this is called stale where polls fail: two in a row did. One
 * may, while the api swaps its process.
 */
export const STALE_AFTER_MS = 3 * POLL_MS;

export type Freshness = "live" | "paused" | "stale" | "down";

/** How much what is on screen can be trusted. */
export function freshness(seen: {
  /** When the last answer came, in milliseconds since the epoch; undefined if none did. */
  updatedAt: number | undefined;
  now: number;
  paused: boolean;
  /** Whether the last poll failed. Old data alone means only that the page was hidden. */
  failing: boolean;
}): Freshness {
  if (seen.updatedAt === undefined) {
    return "down";
  }
  if (seen.paused) {
    return "paused";
  }
  return seen.failing && seen.now - seen.updatedAt > STALE_AFTER_MS ? "stale" : "live";
}
