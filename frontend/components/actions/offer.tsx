import { Button } from "@/components/button";
import type { Action } from "@/lib/actions/actions";
import { actionLabel, actionPurpose } from "@/lib/actions/words";

/** An action that can be picked, with what it is for or does, or why it cannot be done now. */
export function Offer({
  action,
  off,
  reason,
  does,
  onPick,
}: {
  action: Action;
  off: boolean;
  reason?: string;
  /** What it does, where it is done without another question. */
  does?: string;
  onPick: (action: Action) => void;
}) {
  return (
    <li className="flex items-center gap-4 py-2">
      <Button
        className="w-28 shrink-0 justify-center disabled:cursor-default disabled:text-muted"
        disabled={off || reason !== undefined}
        onClick={() => onPick(action)}
      >
        {actionLabel[action]}
      </Button>
      <span className="text-muted text-xs">{reason ?? does ?? actionPurpose[action]}</span>
    </li>
  );
}
