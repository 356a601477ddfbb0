import { latency } from "@/lib/time";
import { listed } from "@/lib/words";
import { type Action, type Change, ends } from "./actions";
import type { Effect } from "./send";

export const actionLabel: Record<Action, string> = {
  restart: "Restart",
  scale: "Scale",
  stop: "Stop",
  start: "Start",
  run: "Run again",
  rollback: "Roll back",
  rebuild: "Rebuild",
  swap: "Restart process",
  apply: "Apply",
};

/** What an action is for, in a line. */
export const actionPurpose: Record<Action, string> = {
  restart: "Replace its pods by new ones",
  scale: "Give it another number of pods",
  stop: "End all of its pods; the data stays",
  start: "Give it the pods back that it had",
  run: "Make it anew, and wait until it has completed",
  rollback: "Give it back what an earlier revision ran",
  rebuild: "Have zr dev build it anew, and make that live",
  swap: "Have zr dev start its process anew, in the same pod",
  apply: "Have zr dev apply what is on its disk",
};

/** An action and its service: "Stop api", "Scale api to 3 pods". */
export function changeTitle({ action, service, replicas, revision }: Change): string {
  if (action === "run") {
    return `Run ${service} again`;
  }
  if (action === "rollback") {
    return `Roll ${service} back to revision ${revision}`;
  }
  if (action === "swap") {
    return `Restart the process of ${service}`;
  }
  if (action === "apply") {
    return "Apply manifests and configuration";
  }
  const to = action === "scale" && replicas !== undefined ? ` to ${pods(replicas)}` : "";
  return `${actionLabel[action]} ${service}${to}`;
}

/** What will be different, before one agrees to it. */
export function consequence(change: Change, desired: number, dependents: string[]): string {
  const { action, service, replicas = desired } = change;
  if (ends(change)) {
    const without =
      dependents.length > 0
        ? `${listed(dependents)} ${dependents.length === 1 ? "depends" : "depend"} on it and will fail.`
        : "No service that runs says that it depends on it.";
    return `${service} answers nothing until it is started again. ${without}`;
  }
  switch (action) {
    case "restart":
      return desired > 1
        ? `The ${desired} pods of ${service} are replaced in turn.`
        : `The pod of ${service} is replaced by a new one. Requests that it still works on may be cut off.`;
    case "run":
      return `The Job ${service} is deleted and made again. What it did before is not undone.`;
    case "rollback":
      return `The pods of ${service} are replaced by those of revision ${change.revision}.`;
    case "rebuild":
      return `The attached zr dev builds ${service} anew from what is on its disk, and replaces its process. A version that does not get healthy is taken back.`;
    case "swap":
      return `The attached zr dev ends the process of ${service} and starts it again. Requests that it still works on may be cut off.`;
    case "apply":
      return "The attached zr dev applies the manifests and the configuration as they are on its disk. Pods whose settings differ are replaced.";
    case "start":
      return `${service} gets the pods back that it had when it was stopped.`;
    default:
      return replicas < desired
        ? `${pods(desired - replicas)} of ${service} ${desired - replicas === 1 ? "is" : "are"} ended, ${replicas} ${replicas === 1 ? "stays" : "stay"}.`
        : `${service} gets ${pods(replicas - desired)} more.`;
  }
}

/** While it happens: "Stopping api". */
export function doing({ action, service }: Change): string {
  const words: Record<Action, string> = {
    restart: "Restarting",
    scale: "Scaling",
    stop: "Stopping",
    start: "Starting",
    run: "Running",
    rollback: "Rolling back",
    rebuild: "Rebuilding",
    swap: "Restarting the process of",
    apply: "Applying manifests and configuration",
  };
  return `${words[action]} ${service}`.trim();
}

/** What Kubernetes, or the attached zr dev, has said afterwards. */
export function done(change: Change, effect: Effect): string {
  const { action, service } = change;
  if ("tookMs" in effect) {
    const what: Partial<Record<Action, string>> = {
      rebuild: `${service} is rebuilt, and`,
      swap: `The process of ${service} is restarted, and`,
    };
    return `${what[action] ?? "Everything is applied, and"} healthy after ${latency(effect.tookMs)}`;
  }
  const { replicas, ready } = effect;
  if (action === "run") {
    return `${service} has run again, and completed`;
  }
  if (replicas === 0) {
    return `${service} is stopped: it has no pods`;
  }
  const words: Partial<Record<Action, string>> = {
    restart: "restarted",
    rollback: `at revision ${change.revision}`,
  };
  return `${service} is ${words[action] ?? "running"}: ${ready} of ${pods(replicas)} ready`;
}

export function pods(n: number): string {
  return `${n} ${n === 1 ? "pod" : "pods"}`;
}
