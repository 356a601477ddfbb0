import { useEffect } from "react";
import { useSnapshot } from "./snapshot/context";
import type { State } from "./stack/schema";
import { tabIcon } from "./tab-icon";

/**
 * The tab says how things are in its title and its icon, so that it can be kept in the
 * background. That of a snapshot says that it is one: nothing in it is how things are.
 */
export function useTab(of: string, now: State | "unknown") {
  const snapshot = useSnapshot();
  const title = snapshot ? `Snapshot of ${snapshot.file.environment} · zr` : of;
  const state = snapshot ? "unknown" : now;
  useEffect(() => {
    document.title = title;
  }, [title]);
  useEffect(() => {
    // Of several icons the browser takes the last.
    const link = document.createElement("link");
    link.rel = "icon";
    link.type = "image/svg+xml";
    link.setAttribute("sizes", "any");
    link.href = tabIcon(state);
    document.head.append(link);
    return () => link.remove();
  }, [state]);
}
