"use client";

import { useQuery } from "@tanstack/react-query";
import { advice } from "@/components/advice";
import { Button } from "@/components/button";
import { HealthyIcon, StartingIcon, UnhealthyIcon } from "@/components/icons";
import { type Change, isOfDev } from "@/lib/actions/actions";
import type { Effect } from "@/lib/actions/send";
import { changeTitle, doing, done, pods } from "@/lib/actions/words";
import { inert } from "@/lib/inert";
import type { Problem } from "@/lib/problem";
import { servicesQuery } from "@/lib/stack/queries";

/** A change that was asked for: it goes on until there is an effect or a problem. */
export interface Going {
  id: number;
  change: Change;
  /** Those that were named when somebody agreed to it. */
  dependents: string[];
  effect?: Effect;
  problem?: Problem;
}

/** What goes on and how it ended, in a corner of every screen. */
export function Notices({
  going,
  onDismiss,
  onAgain,
}: {
  going: Going[];
  onDismiss: (id: number) => void;
  onAgain: (going: Going) => void;
}) {
  return (
    <div className="fixed right-4 bottom-4 left-4 z-10 grid gap-2 sm:left-auto sm:w-96">
      {going.map((each) => (
        <Notice
          key={each.id}
          going={each}
          onDismiss={() => onDismiss(each.id)}
          onAgain={() => onAgain(each)}
        />
      ))}
    </div>
  );
}

function Notice({
  going,
  onDismiss,
  onAgain,
}: {
  going: Going;
  onDismiss: () => void;
  onAgain: () => void;
}) {
  const { change, effect, problem } = going;
  const outcome = effect ? "done" : problem ? "failed" : "going";
  const { Icon, color } = {
    done: { Icon: HealthyIcon, color: "text-healthy" },
    failed: { Icon: UnhealthyIcon, color: "text-unhealthy" },
    going: { Icon: StartingIcon, color: "text-starting" },
  }[outcome];
  return (
    <div
      role={problem ? "alert" : "status"}
      data-testid="notice"
      data-outcome={outcome}
      className="flex gap-2.5 rounded-lg border border-line bg-surface p-3 shadow-lg"
    >
      <Icon className={`mt-0.5 ${color}`} />
      <div className="wrap-anywhere min-w-0 flex-1 text-xs">
        {effect && <p className="font-medium">{done(change, effect)}</p>}
        {problem && <Failure change={change} problem={problem} />}
        {outcome === "going" && <Progress change={change} />}
        {problem && (
          <Button onClick={onAgain} className="mt-2">
            {problem.dependents ? "Decide" : "Try again"}
          </Button>
        )}
      </div>
      {outcome !== "going" && <Button onClick={onDismiss}>Dismiss</Button>}
    </div>
  );
}

function Failure({ change, problem }: { change: Change; problem: Problem }) {
  const { title, steps } = advice[problem.code];
  return (
    <>
      <p className="font-medium">
        {changeTitle(change)}: {title.charAt(0).toLowerCase() + title.slice(1)}
      </p>
      <p className="mt-1 max-h-40 overflow-y-auto whitespace-pre-wrap text-muted">
        {inert(problem.message)}
      </p>
      {steps.slice(0, 1).map(({ text, command }) => (
        <p key={command} className="mt-1">
          {text} <code className="select-all font-mono">{command}</code>
        </p>
      ))}
    </>
  );
}

/** How far it is, as the api sees it meanwhile. */
function Progress({ change }: { change: Change }) {
  const { data } = useQuery(servicesQuery(change.environment));
  const service = data?.services.find(({ name }) => name === change.service);
  return (
    <>
      <p className="font-medium">{doing(change)}…</p>
      {service && !isOfDev(change.action) && (
        <p className="mt-1 text-muted">
          {service.ready} of {pods(service.desired)} ready
        </p>
      )}
    </>
  );
}
