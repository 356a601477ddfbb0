"use client";

import { useQuery } from "@tanstack/react-query";
import { Button } from "@/components/button";
import { Command } from "@/components/command";
import { type Action, type Change, type DevAction, whyNoDev } from "@/lib/actions/actions";
import { actionLabel, changeTitle, consequence } from "@/lib/actions/words";
import { attachedQuery } from "@/lib/dev/queries";
import type { Service } from "@/lib/stack/schema";
import { Offer } from "./offer";

/** What the attached `zr dev` can be asked to do with a service that it changes; nothing where none is attached. */
export function DevOffers({
  service,
  environment,
  off,
  onPick,
}: {
  service: Service;
  environment: string | undefined;
  off: boolean;
  onPick: (action: Action) => void;
}) {
  const { data } = useQuery({ ...attachedQuery(environment), enabled: !off });
  const offered: DevAction[] = service.dev ? ["rebuild", "swap"] : [];
  return offered
    .filter((action) => !whyNoDev(action, data?.attached))
    .map((action) => <Offer key={action} action={action} off={off} onPick={onPick} />);
}

/** What the attached `zr dev` will do, and the button that has it do so. */
export function DevAgreement({
  service,
  action,
  environment,
  mayNot,
  onRun,
  onClose,
}: {
  service: string;
  action: DevAction;
  environment: string | undefined;
  mayNot: boolean;
  onRun: (change: Change, dependents: string[]) => void;
  onClose: () => void;
}) {
  const { data } = useQuery({ ...attachedQuery(environment), enabled: !mayNot });
  const change: Change = { environment, service, action };
  const reason = mayNot ? undefined : data && whyNoDev(action, data.attached);
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        onRun(change, []);
      }}
    >
      <h2 className="wrap-anywhere font-semibold">{changeTitle(change)}</h2>
      <p data-testid="consequence" className="mt-3">
        {reason ?? consequence(change, 1, [])}
        {reason && <Command className="ml-2">zr dev</Command>}
      </p>
      <div className="mt-4 flex gap-2">
        <Button
          type="submit"
          disabled={mayNot || !data || reason !== undefined}
          className="border-accent! text-accent disabled:border-line! disabled:text-muted"
        >
          {actionLabel[action]}
        </Button>
        <Button onClick={onClose}>Cancel</Button>
      </div>
    </form>
  );
}
