const listeners = new Set<() => void>();

/** For useSyncExternalStore: what this browser keeps may change here, and in another tab. */
export function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  window.addEventListener("storage", listener);
  return () => {
    listeners.delete(listener);
    window.removeEventListener("storage", listener);
  };
}

/** Tells this tab that something that is kept has changed. */
export function changed(): void {
  for (const listener of listeners) {
    listener();
  }
}
