import { reasonText } from "@/lib/stack/reason-text";
import type { Reason, State } from "@/lib/stack/schema";

const reasonColor: Record<State, string> = {
  healthy: "border-healthy",
  starting: "border-starting",
  unhealthy: "border-unhealthy",
  pending: "border-pending",
};

/** Why a service, or a pod of it, is in its state. */
export function ReasonNote({ reason, state }: { reason: Reason; state: State }) {
  return (
    <p
      data-testid="reason"
      className={`wrap-anywhere border-l-2 pl-3 text-xs ${reasonColor[state]}`}
    >
      <strong className="font-semibold">{reasonText(reason.code)}</strong>
      {" · "}
      {reason.message}
    </p>
  );
}
