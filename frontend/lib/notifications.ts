import { useSyncExternalStore } from "react";
import { changed, subscribe } from "@/lib/stored";

/** Where it is kept that somebody wants notifications: it is of this browser, as its permission is. */
const KEY = "zr.notifications";

export type Wanted =
  | "on"
  | "off"
  /** The browser shows none for this address. */
  | "blocked";

/** Whether a change of state is told while the page is hidden. */
export function useNotifications(): Wanted {
  return useSyncExternalStore(subscribe, wanted, () => "off");
}

function wanted(): Wanted {
  // A browser shows them to pages of this machine and of https alone.
  if (typeof Notification === "undefined" || Notification.permission === "denied") {
    return "blocked";
  }
  try {
    const isOn = localStorage.getItem(KEY) === "on" && Notification.permission === "granted";
    return isOn ? "on" : "off";
  } catch {
    return "off"; // a browser may keep nothing
  }
}

/** Turns them on or off; the browser asks for its permission, so it is called on a click alone. */
export async function wantNotifications(on: boolean): Promise<void> {
  const allowed = !on || (await Notification.requestPermission()) === "granted";
  try {
    localStorage.setItem(KEY, on && allowed ? "on" : "off");
  } catch {
    // What cannot be kept is not on.
  }
  changed();
}
