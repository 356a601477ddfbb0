"use client";

import { useEffect, useSyncExternalStore } from "react";
import { useEnvironment, useGo } from "@/components/environment";
import { inert } from "@/lib/inert";
import { useNotifications } from "@/lib/notifications";
import { servicePath } from "@/lib/screens";
import { type Turn, Turns } from "@/lib/stack/turns";
import { followServices } from "@/lib/stack/use-services";

/** While the page is hidden and somebody wants it, tells of each service that becomes unhealthy or heals. */
export function Notifier() {
  const environment = useEnvironment();
  const go = useGo();
  const isOn = useNotifications() === "on";
  const hidden = useHidden();
  useEffect(() => {
    if (!isOn || !hidden) {
      return;
    }
    const turns = new Turns();
    return followServices(environment, ({ changed, removed }) => {
      for (const turn of turns.take(changed, removed)) {
        show(turn, environment, go);
      }
    });
  }, [isOn, hidden, environment, go]);
  return null;
}

function show(
  { service, became }: Turn,
  environment: string | undefined,
  go: (path: string) => void,
) {
  const { name, reason } = service;
  const notification = new Notification(
    became === "unhealthy" ? `${name} is unhealthy` : `${name} is healthy again`,
    // What is told of a service later stands in for what was told before.
    { body: reason && inert(reason.message), tag: `${environment ?? ""}/${name}` },
  );
  notification.onclick = () => {
    window.focus();
    notification.close();
    go(servicePath(name));
  };
}

function useHidden(): boolean {
  return useSyncExternalStore(
    (listener) => {
      document.addEventListener("visibilitychange", listener);
      return () => document.removeEventListener("visibilitychange", listener);
    },
    () => document.visibilityState === "hidden",
    () => false,
  );
}
