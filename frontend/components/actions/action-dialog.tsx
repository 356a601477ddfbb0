"use client";

import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { Button } from "@/components/button";
import { Command } from "@/components/command";
import { Dialog } from "@/components/dialog";
import {
  type Action,
  actionsOf,
  type Change,
  dependentsOf,
  ends,
  isOfDev,
  whyNot,
} from "@/lib/actions/actions";
import { type Session, sessionQuery, whyNobody } from "@/lib/actions/session";
import { actionLabel, changeTitle, consequence } from "@/lib/actions/words";
import type { Problem } from "@/lib/problem";
import { servicesQuery } from "@/lib/stack/queries";
import type { Service } from "@/lib/stack/schema";
import type { Asked } from "./asked";
import { DevAgreement, DevOffers } from "./dev-actions";
import { Offer } from "./offer";

/** As in the api. */
const MAX_REPLICAS = 100;

/** Asks what is to be done to a service, and whether one agrees to what follows. */
export function ActionDialog({
  asked,
  onRun,
  onClose,
}: {
  asked: Asked;
  /** Does it; the dependents are those that were named. */
  onRun: (change: Change, dependents: string[]) => void;
  onClose: () => void;
}) {
  const [action, setAction] = useState(asked.action);
  const services = useQuery({ ...servicesQuery(asked.environment), refetchInterval: false });
  const { data: session, error } = useQuery<Session, Problem>(sessionQuery);
  const all = services.data?.services ?? [];
  const service = all.find(({ name }) => name === asked.service);
  const nobody = whyNobody(session, error);
  return (
    <Dialog
      // The next step is a dialog of its own, whose first control has the focus.
      key={action ?? "choice"}
      label={
        action ? `${actionLabel[action]} ${asked.service}`.trim() : `Actions of ${asked.service}`
      }
      onClose={onClose}
    >
      <div data-testid="action-dialog" data-action={action} className="p-4">
        {nobody && <Nobody {...nobody} />}
        {action && isOfDev(action) && (
          <DevAgreement
            service={asked.service}
            action={action}
            environment={asked.environment}
            mayNot={nobody !== undefined}
            onRun={onRun}
            onClose={onClose}
          />
        )}
        {!service && !(action && isOfDev(action)) && (
          <p role="status">
            {services.isPending ? "Asking the api…" : "There is no such service."}
          </p>
        )}
        {service && !action && (
          <Choice
            service={service}
            environment={asked.environment}
            dependents={dependentsOf(service.name, all)}
            mayNot={nobody !== undefined}
            onPick={setAction}
            onRun={onRun}
          />
        )}
        {service && action && !isOfDev(action) && (
          <Agreement
            service={service}
            action={action}
            environment={asked.environment}
            replicas={asked.replicas}
            revision={asked.revision}
            dependents={asked.dependents ?? dependentsOf(service.name, all)}
            mayNot={nobody !== undefined}
            onRun={onRun}
            onClose={onClose}
          />
        )}
      </div>
    </Dialog>
  );
}

function Nobody({ text, command }: { text: string; command?: string }) {
  return (
    <p role="status" data-testid="why-not" className="mb-4 border-starting border-l-2 pl-3 text-xs">
      {text} {command && <Command>{command}</Command>}
    </p>
  );
}

/** What is done as soon as it is picked: the list says what follows, and nothing is lost by it. */
const doneAtOnce: Action[] = ["restart", "start"];

/** All that can be done, and why some of it cannot be done now. */
function Choice({
  service,
  environment,
  dependents,
  mayNot,
  onPick,
  onRun,
}: {
  service: Service;
  environment: string | undefined;
  dependents: string[];
  mayNot: boolean;
  onPick: (action: Action) => void;
  onRun: (change: Change, dependents: string[]) => void;
}) {
  return (
    <>
      <h2 className="wrap-anywhere font-semibold">{service.name}</h2>
      <ul className="mt-3 divide-y divide-line">
        {actionsOf(service.kind).map((action) => {
          const reason = whyNot(action, service);
          const change: Change = { environment, service: service.name, action };
          const atOnce = doneAtOnce.includes(action);
          return (
            <Offer
              key={action}
              action={action}
              off={mayNot}
              reason={reason}
              does={atOnce ? consequence(change, service.desired, dependents) : undefined}
              onPick={atOnce ? () => onRun(change, dependents) : onPick}
            />
          );
        })}
        <DevOffers service={service} environment={environment} off={mayNot} onPick={onPick} />
      </ul>
    </>
  );
}

/** What will happen, in words, and the button that does it. */
function Agreement({
  service,
  action,
  environment,
  replicas,
  revision,
  dependents,
  mayNot,
  onRun,
  onClose,
}: {
  service: Service;
  action: Action;
  environment: string | undefined;
  replicas: number | undefined;
  revision: number | undefined;
  dependents: string[];
  mayNot: boolean;
  onRun: (change: Change, dependents: string[]) => void;
  onClose: () => void;
}) {
  const [wanted, setWanted] = useState(replicas ?? service.desired);
  const scales = action === "scale";
  const change: Change = {
    environment,
    service: service.name,
    action,
    revision,
    ...(scales && { replicas: wanted }),
  };
  const next = whatUpDoes(change);
  const reason =
    whyNot(action, service) ??
    (scales && wanted === service.desired ? "It has this number of pods." : undefined);
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        onRun(change, dependents);
      }}
    >
      <h2 className="wrap-anywhere font-semibold">{changeTitle(change)}</h2>
      {scales && (
        <label className="mt-3 flex items-center gap-3">
          Pods
          <input
            type="number"
            min={0}
            max={MAX_REPLICAS}
            required
            value={Number.isNaN(wanted) ? "" : wanted}
            onChange={(event) => setWanted(event.target.valueAsNumber)}
            className="h-8 w-20 rounded-md border border-line bg-canvas px-2"
          />
        </label>
      )}
      <p data-testid="consequence" className="mt-3">
        {reason ?? (Number.isNaN(wanted) ? "" : consequence(change, service.desired, dependents))}
      </p>
      {next && (
        <p className="mt-2 text-muted text-xs">
          The next <code className="font-mono">zr up</code> {next}
        </p>
      )}
      <div className="mt-4 flex gap-2">
        <Button
          type="submit"
          disabled={mayNot || reason !== undefined}
          className="border-accent! text-accent disabled:border-line! disabled:text-muted"
        >
          {actionLabel[action]}
        </Button>
        <Button onClick={onClose}>Cancel</Button>
      </div>
    </form>
  );
}

/** What the next `zr up` makes of a change, where that is not what one would think. */
function whatUpDoes(change: Change): string | undefined {
  if (ends(change)) {
    return "leaves it stopped.";
  }
  const words: Partial<Record<Action, string>> = {
    scale: "brings back the number of its manifest.",
    rollback: "brings back what its manifest says.",
  };
  return words[change.action];
}
