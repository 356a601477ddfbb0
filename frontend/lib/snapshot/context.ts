"use client";

import { createContext, useContext } from "react";
import { SNAPSHOT } from "@/lib/screens";
import type { Snapshot } from "./snapshot";

/** The snapshot that a part of the page shows. */
export const SnapshotContext = createContext<Snapshot | undefined>(undefined);

/** The snapshot that is shown here; undefined where it is what is now: only there something can be done. */
export function useSnapshot(): Snapshot | undefined {
  return useContext(SnapshotContext);
}

/** The address of a screen in what is shown here. */
export function placed(path: string, snapshot: Snapshot | undefined): string {
  return snapshot ? SNAPSHOT + path.replace(/^\/(?=\?|$)/, "") : path;
}
