"use client";

import { useNotifications, wantNotifications } from "@/lib/notifications";

/** Turns notifications of this browser on and off, or says why it shows none. */
export function NotifySwitch() {
  const wanted = useNotifications();
  return (
    <div className="mt-3 border-line border-t pt-3">
      <label className="flex items-start gap-2.5">
        <input
          type="checkbox"
          checked={wanted === "on"}
          disabled={wanted === "blocked"}
          onChange={({ target }) => void wantNotifications(target.checked)}
          className="mt-0.5 accent-accent"
        />
        <span>
          Notify me when a service becomes unhealthy or heals while this page is hidden
          {wanted === "blocked" && (
            <span className="block text-muted text-xs">
              This browser shows no notifications of this address. Its settings of the site allow
              them.
            </span>
          )}
        </span>
      </label>
    </div>
  );
}
