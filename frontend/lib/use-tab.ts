import { useEffect } from "react";
import type { State } from "./stack/schema";
import { tabIcon } from "./tab-icon";

/** The tab says how things are in its title and its icon, so that it can be kept in the background. */
export function useTab(title: string, state: State | "unknown") {
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
