import { PendingIcon } from "@/components/icons";
import { stateLook } from "@/components/state";
import type { Service } from "@/lib/stack/schema";
import { count, summarize } from "@/lib/stack/summary";

/** The stack in one sentence, and the counts behind it where they are not all the same. */
export function Overview({
  services,
  known,
}: {
  services: Service[];
  /** Whether that is how it is now. */
  known: boolean;
}) {
  const { state, text } = summarize(services);
  const { Icon, color } = known ? stateLook[state] : { Icon: PendingIcon, color: "text-pending" };
  const counts = known ? count(services) : [];
  return (
    <div aria-live="polite">
      <h1
        data-testid="summary"
        data-state={known ? state : "unknown"}
        className="flex items-center gap-2.5 font-semibold text-xl tracking-tight"
      >
        <Icon className={`size-5! ${color}`} />
        {known ? text : "Not known right now"}
      </h1>
      {counts.length > 1 && (
        <p className="mt-1 flex flex-wrap gap-x-3 pl-7.5 text-muted text-xs">
          {counts.map(([each, n]) => (
            <span key={each}>
              {n} {each}
            </span>
          ))}
        </p>
      )}
    </div>
  );
}
