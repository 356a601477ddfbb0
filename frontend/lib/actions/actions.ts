import type { Service } from "@/lib/stack/schema";

/** What can be done to a service as it is; a Job is only run again. */
export const actions = ["restart", "scale", "stop", "start", "run"] as const;

/** What an attached `zr dev` is asked for; to apply is about no service. */
export const devActions = ["rebuild", "swap", "apply"] as const;
export type DevAction = (typeof devActions)[number];

/** What can be done to a service: it goes back to one of its revisions, too. */
export type Action = (typeof actions)[number] | "rollback" | DevAction;

/** Whether an attached `zr dev` is asked for it, and not Kubernetes. */
export function isOfDev(action: Action): action is DevAction {
  return devActions.some((each) => each === action);
}

/** What the api calls an action of `zr dev`. */
export const devName: Record<DevAction, string> = {
  rebuild: "rebuild",
  swap: "restart",
  apply: "apply",
};

/** Why nobody can be asked for an action of `zr dev`; undefined where somebody can. */
export function whyNoDev(
  action: DevAction,
  runs: readonly { verb: string; actions: string[] }[] | undefined,
): string | undefined {
  const dev = runs?.filter(({ verb }) => verb === "dev") ?? [];
  if (dev.length === 0) {
    return "No zr dev is attached. Start one in the project’s folder:";
  }
  return dev.some(({ actions }) => actions.includes(devName[action]))
    ? undefined
    : "The attached zr dev is of a version that cannot do this. Start one of this version:";
}

/** The kinds of workloads that the api changes. */
const CHANGEABLE = ["Deployment", "StatefulSet"];

/** Why something cannot be done to a service as it is; undefined where it can. */
export function whyNot(action: Action, { kind, desired }: Service): string | undefined {
  if (kind === "Job") {
    return action === "run" ? undefined : "A Job is run again, and not changed.";
  }
  if (!CHANGEABLE.includes(kind)) {
    return kind ? `A ${kind} is not changed from here.` : "Kubernetes does not say what it is.";
  }
  if (action === "run") {
    return "It is no Job.";
  }
  if (action === "start") {
    return desired > 0 ? "It runs." : undefined;
  }
  return desired === 0 && action !== "scale" && action !== "rollback"
    ? "It is stopped."
    : undefined;
}

/**
 * Whether to restart a service takes nothing away from those who need it: a
 * Deployment gets its new pods before the old ones end, and nothing is kept in those.
 */
export function replacesInTurn({ kind }: Service): boolean {
  return kind === "Deployment";
}

/** The actions that are offered for a kind of workload, whether or not they can be done now. */
export function actionsOf(kind: string) {
  return actions.filter((action) => (action === "run") === (kind === "Job"));
}

/** The services that run and need another, by their names. */
export function dependentsOf(name: string, services: Service[]): string[] {
  return services
    .filter(({ dependsOn, desired }) => desired > 0 && dependsOn.includes(name))
    .map((service) => service.name);
}

/** An action with all that it takes; the name of the service is empty where it is about none. */
export interface Change {
  environment?: string;
  service: string;
  action: Action;
  /** How many replicas to scale to. */
  replicas?: number;
  /** Which revision to roll back to. */
  revision?: number;
}

/** Whether a change leaves nothing of a service. */
export function ends({ action, replicas }: Change): boolean {
  return action === "stop" || (action === "scale" && replicas === 0);
}
