"use client";

import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useRouter } from "next/navigation";
import { useEffect, useRef, useSyncExternalStore } from "react";
import { z } from "zod";
import { Command } from "@/components/command";
import { UnhealthyIcon } from "@/components/icons";
import { sessionQuery } from "@/lib/actions/session";
import { fetchJSON } from "@/lib/fetch-json";
import { POLL_MS } from "@/lib/freshness";
import type { Problem } from "@/lib/problem";
import { sessionWatch } from "@/lib/session-watch";
import { Banner } from "./banner";

/** How often it is asked whether the session goes on, in milliseconds: some screens ask for nothing that needs one. */
const SESSION_POLL_MS = 10_000;

const markSchema = z.object({ mark: z.string().nullable() });

/**
 * Says on every screen that the session has ended, and has everything asked anew
 * once the browser has another one, by whichever tab.
 */
export function SessionBanner({
  mark,
}: {
  /** Of the session under which the server made the page; null where there was none. */
  mark: string | null;
}) {
  const ended = useSyncExternalStore(sessionWatch.subscribe, sessionWatch.ended, () => false);
  useQuery({ ...sessionQuery, enabled: mark !== null && !ended, refetchInterval: SESSION_POLL_MS });
  useRenewal(mark, ended);
  return (
    // It is there before it says something: only then is that read out.
    <div role="status">
      {ended && mark !== null && (
        <Banner data-testid="session-ended" Icon={UnhealthyIcon} color="text-starting">
          Your session has ended. Get a login link, and open it in this browser:{" "}
          <Command>zr dashboard</Command> This page goes on by itself then, and what you have
          written stays.
        </Banner>
      )}
    </div>
  );
}

/** Looks for another session where there is none that the api takes. */
function useRenewal(mark: string | null, ended: boolean): void {
  const client = useQueryClient();
  const router = useRouter();
  const known = useRef(mark);
  const { data } = useQuery<z.infer<typeof markSchema>, Problem>({
    queryKey: ["session-mark"],
    queryFn: ({ signal }) => fetchJSON("/session", markSchema, signal),
    meta: { saysNothingOfApi: true },
    enabled: ended || mark === null,
    retry: false,
    refetchInterval: POLL_MS,
  });
  useEffect(() => {
    if (!data || data.mark === known.current) {
      return;
    }
    known.current = data.mark;
    if (data.mark !== null) {
      sessionWatch.renewed();
      // What the server says to who is logged in, and all that was refused or is on its way.
      router.refresh();
      void client
        .cancelQueries()
        .then(() =>
          client.invalidateQueries({ predicate: ({ state }) => state.status !== "success" }),
        );
    }
  }, [data, client, router]);
}
