"use client";

import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useState, useSyncExternalStore } from "react";
import { sessionWatch } from "@/lib/session-watch";
import { useSnapshot } from "@/lib/snapshot/context";
import { DevFeed, type Feed } from "./feed";
import { attachedQuery } from "./queries";

/**
 * Follows what runs of zr tell of an environment, which stays the same. Who is
 * attached goes where attachedQuery reads it. In a snapshot nothing comes.
 */
export function useDevFeed(environment: string | undefined): Feed {
  const client = useQueryClient();
  const snapshot = useSnapshot();
  const [feed] = useState(
    () =>
      new DevFeed(
        environment,
        (attached) => client.setQueryData(attachedQuery(environment).queryKey, { attached }),
        () => void client.invalidateQueries({ queryKey: ["dev-events"] }),
      ),
  );
  useEffect(() => {
    if (snapshot) {
      return;
    }
    feed.start();
    const end = sessionWatch.onRenewed(() => feed.renew());
    return () => {
      end();
      feed.stop();
    };
  }, [feed, snapshot]);
  return useSyncExternalStore(feed.subscribe, feed.snapshot, feed.snapshot);
}

/** Events of a page and those that came since, each once, the newest first. */
export function merged<T extends { id: number }>(came: readonly T[], page: readonly T[]): T[] {
  const each = new Map([...page, ...came].map((event) => [event.id, event]));
  return [...each.values()].sort((a, b) => b.id - a.id);
}
