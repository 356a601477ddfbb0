import type { ComponentType } from "react";
import {
  HealthyIcon,
  PendingIcon,
  RemovedIcon,
  StartingIcon,
  UnhealthyIcon,
} from "@/components/icons";
import type { HistoryState, State } from "@/lib/stack/schema";

/** The one place that says how a state looks: an icon of its own shape, a word, a colour. */
export const stateLook: Record<
  HistoryState,
  { label: string; color: string; Icon: ComponentType<{ className?: string }> }
> = {
  healthy: { label: "Healthy", color: "text-healthy", Icon: HealthyIcon },
  starting: { label: "Starting", color: "text-starting", Icon: StartingIcon },
  unhealthy: { label: "Unhealthy", color: "text-unhealthy", Icon: UnhealthyIcon },
  pending: { label: "Pending", color: "text-pending", Icon: PendingIcon },
  removed: { label: "Removed", color: "text-pending", Icon: RemovedIcon },
};

export function StateBadge({ state }: { state: State }) {
  const { label, color, Icon } = stateLook[state];
  return (
    <span className={`flex items-center gap-1.5 font-medium ${color}`}>
      <Icon />
      {label}
    </span>
  );
}
