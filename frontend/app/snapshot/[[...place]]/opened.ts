import { useSyncExternalStore } from "react";
import { MOST_BYTES, NoSnapshot, readFile } from "@/lib/snapshot/format";
import { Snapshot } from "@/lib/snapshot/snapshot";

let opened: Snapshot | undefined;
const listeners = new Set<() => void>();

/** The snapshot that is open in this tab, until it is loaded anew. */
export function useOpened(): Snapshot | undefined {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => opened,
    () => undefined,
  );
}

export function show(snapshot: Snapshot | undefined): void {
  opened = snapshot;
  for (const listener of listeners) {
    listener();
  }
}

/** Opens a file, which is read here and sent nowhere. It throws NoSnapshot. */
export async function openFile(file: Blob): Promise<void> {
  if (file.size > MOST_BYTES) {
    throw new NoSnapshot(
      `It has ${Math.ceil(file.size / 1e6).toLocaleString("en")} MB, and a snapshot has ${MOST_BYTES / 1e6} at most.`,
    );
  }
  show(new Snapshot(readFile(await file.text())));
}
