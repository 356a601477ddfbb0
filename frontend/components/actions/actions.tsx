"use client";

import { useQueryClient } from "@tanstack/react-query";
import dynamic from "next/dynamic";
import { createContext, type ReactNode, useCallback, useContext, useState } from "react";
import { useEnvironment } from "@/components/environment";
import { type Change, ends } from "@/lib/actions/actions";
import { sessionQuery } from "@/lib/actions/session";
import type { Problem } from "@/lib/problem";
import { useSnapshot } from "@/lib/snapshot/context";
import type { Asked } from "./asked";
import type { Going } from "./notices";

// What is shown only when somebody acts is not part of the first load.
const ActionDialog = dynamic(() => import("./action-dialog").then((m) => m.ActionDialog));
const Notices = dynamic(() => import("./notices").then((m) => m.Notices));

const AskContext = createContext<(asked: Asked) => void>(() => {});

/** Opens the dialog of what can be done to a service; undefined in a snapshot, to which nothing can be done. */
export function useActions(): ((asked: Asked) => void) | undefined {
  const ask = useContext(AskContext);
  return useSnapshot() ? undefined : ask;
}

/** Holds what is asked and what goes on, over all screens: an action outlives the page that began it. */
export function ActionsProvider({ children }: { children: ReactNode }) {
  const environment = useEnvironment();
  const client = useQueryClient();
  const [asked, setAsked] = useState<Asked>();
  const [going, setGoing] = useState<Going[]>([]);

  const run = useCallback(
    async (change: Change, dependents: string[]) => {
      setAsked(undefined);
      const id = performance.now();
      const update = (now: Partial<Going>) =>
        setGoing((all) => all.map((each) => (each.id === id ? { ...each, ...now } : each)));
      setGoing((all) => [...all, { id, change, dependents }]);
      const { send } = await import("@/lib/actions/send");
      try {
        update({ effect: await send(change, ends(change) && dependents.length > 0) });
        await client.invalidateQueries();
      } catch (problem) {
        update({ problem: problem as Problem });
      }
    },
    [client],
  );

  const ask = useCallback(
    async ({ atOnce, ...about }: Asked) => {
      const may = atOnce && (await client.ensureQueryData(sessionQuery).catch(() => undefined));
      if (may && may.role === "operator" && about.action) {
        await run({ environment, service: about.service, action: about.action }, []);
      } else {
        setAsked({ environment, ...about });
      }
    },
    [environment, client, run],
  );
  const dismiss = (id: number) => setGoing((all) => all.filter((each) => each.id !== id));
  return (
    <AskContext value={ask}>
      {children}
      {asked && <ActionDialog asked={asked} onRun={run} onClose={() => setAsked(undefined)} />}
      {going.length > 0 && (
        <Notices
          going={going}
          onDismiss={dismiss}
          onAgain={({ id, change, problem }) => {
            dismiss(id);
            setAsked({ ...change, dependents: problem?.dependents });
          }}
        />
      )}
    </AskContext>
  );
}
