import { ReasonNote } from "@/components/reason-note";
import type { Pod } from "@/lib/stack/schema";
import { span } from "@/lib/time";

/** The pods of a service, each with its own reason where it has one. */
export function Pods({ pods, now }: { pods: Pod[]; now: number }) {
  if (pods.length === 0) {
    return <p className="px-4 py-3 text-muted text-xs">No pod of it runs.</p>;
  }
  return (
    <ul className="divide-y divide-line">
      {pods.map((pod) => (
        <li key={pod.name} className="px-4 py-2.5">
          <div className="flex flex-wrap items-baseline justify-between gap-x-4 gap-y-1">
            <span className="wrap-anywhere select-all font-mono text-xs">{pod.name}</span>
            <span className="text-muted text-xs">{figures(pod, now)}</span>
          </div>
          {pod.reason && (
            <div className="mt-2">
              <ReasonNote reason={pod.reason} state={pod.ready ? "healthy" : "unhealthy"} />
            </div>
          )}
        </li>
      ))}
    </ul>
  );
}

/** What there is to say of a pod, in one line: "Running, ready · 2 restarts · up 4 min". */
function figures({ phase, ready, restarts, startedAt }: Pod, now: number): string {
  return [
    phase === "Running" ? `Running, ${ready ? "ready" : "not ready"}` : phase,
    `${restarts} ${restarts === 1 ? "restart" : "restarts"}`,
    startedAt && `up ${span(now - Date.parse(startedAt))}`,
  ]
    .filter(Boolean)
    .join(" · ");
}
