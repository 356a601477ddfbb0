import type { Service } from "@/lib/stack/schema";

export const actions = ["restart", "scale", "stop", "start"] as const;

/** What can be done to a service. */
export type Action = (typeof actions)[number];

/** The kinds of workloads that the api changes. */
const CHANGEABLE = ["Deployment", "StatefulSet"];

/** Why something cannot be done to a service as it is; undefined where it can. */
export function whyNot(action: Action, { kind, desired }: Service): string | undefined {
  if (!CHANGEABLE.includes(kind)) {
    return kind ? `A ${kind} is not changed from here.` : "Kubernetes does not say what it is.";
  }
  if (action === "start") {
    return desired > 0 ? "It runs." : undefined;
  }
  return desired === 0 && action !== "scale" ? "It is stopped." : undefined;
}

/** The services that run and need another, by their names. */
export function dependentsOf(name: string, services: Service[]): string[] {
  return services
    .filter(({ dependsOn, desired }) => desired > 0 && dependsOn.includes(name))
    .map((service) => service.name);
}

/** An action with all that it takes. */
export interface Change {
  service: string;
  action: Action;
  /** How many replicas to scale to. */
  replicas?: number;
}

/** Whether a change leaves nothing of a service. */
export function ends({ action, replicas }: Change): boolean {
  return action === "stop" || (action === "scale" && replicas === 0);
}
