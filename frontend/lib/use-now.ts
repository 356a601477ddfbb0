import { useSyncExternalStore } from "react";
import { serverClock } from "./clock";
import { useSnapshot } from "./snapshot/context";
import { never } from "./use-taken-over";

const TICK_MS = 1_000;

const listeners = new Set<() => void>();
let timer: ReturnType<typeof setInterval> | undefined;
let current = 0;

/** One timer for all who look at the clock; none while nobody does. */
function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  timer ??= setInterval(tick, TICK_MS);
  return () => {
    listeners.delete(listener);
    if (listeners.size === 0) {
      clearInterval(timer);
      timer = undefined;
      current = 0;
    }
  };
}

function tick() {
  current = listeners.size > 0 ? serverClock.now() : 0;
  for (const notify of listeners) {
    notify();
  }
}

serverClock.subscribe(tick);

function snapshot(): number {
  current ||= serverClock.now();
  return current;
}

/**
 * The time by the clock of the server in milliseconds since the epoch, anew each second.
 * While the server renders, and until the browser has taken over, it is renderedAt, so
 * that both write the same text. In a snapshot it is when that was taken.
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
