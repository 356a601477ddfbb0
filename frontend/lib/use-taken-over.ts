import { useSyncExternalStore } from "react";

/**
 * Whether the browser has taken over this part of the page from the server. Until then it
 * must say what the server said: what only a browser knows comes afterwards.
 */
export function useTakenOver(): boolean {
  return useSyncExternalStore(
    never,
    () => true,
    () => false,
  );
}

/** Subscribes to what never changes. */
export function never(): () => void {
  return () => {};
}
