import { useSyncExternalStore } from "react";
import { useSnapshot } from "./snapshot/context";

const TICK_MS = 1_000;

const listeners = new Set<() => void>();
let timer: ReturnType<typeof setInterval> | undefined;
let current = 0;

/** One timer for all who look at the clock; none while nobody does. */
function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  timer ??= setInterval(() => {
    current = Date.now();
    for (const notify of listeners) {
      notify();
    }
  }, TICK_MS);
  return () => {
    listeners.delete(listener);
    if (listeners.size === 0) {
      clearInterval(timer);
      timer = undefined;
      current = 0;
    }
  };
}

function snapshot(): number {
  current ||= Date.now();
  return current;
}

/**
 * The time in milliseconds since the epoch, anew each second. While the server
 * renders, and until the browser has taken over, it is renderedAt, so that both
 * write the same text. In a snapshot it is when that was taken.
 */
export function useNow(renderedAt: number): number {
  const taken = useSnapshot();
  const now = useSyncExternalStore(
    taken ? never : subscribe,
    taken ? () => taken.takenAt : snapshot,
    () => renderedAt,
  );
  return now;
}

function never(): () => void {
  return () => {};
}
