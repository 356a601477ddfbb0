import type { Told } from "./schema";

export type Reload = Told<"reload">;

/** What happens to a save, in its order. */
export const steps = ["noticed", "built", "sent", "swapped", "healthy"] as const;
export type Step = (typeof steps)[number];

/** A step with when it began, after the save, and how long it took; both in milliseconds. */
export interface StepTime {
  step: Step;
  from: number;
  took: number;
}

const NANOSECONDS = 1e6;

/** The steps that happened. */
export function stepsOf(data: Reload["data"]): StepTime[] {
  let from = 0;
  return steps.flatMap((step) => {
    const took = data[step] / NANOSECONDS;
    const began = from;
    from += took;
    return took > 0 ? [{ step, from: began, took }] : [];
  });
}

/** From the save to its end, in milliseconds. */
export function totalOf(data: Reload["data"]): number {
  return steps.reduce((sum, step) => sum + data[step], 0) / NANOSECONDS;
}

export const outcomes = ["live", "sent", "rolledBack", "failed"] as const;
export type ReloadOutcome = (typeof outcomes)[number];

export function outcomeOf({ error, rolledBack, onlySent }: Reload["data"]): ReloadOutcome {
  if (rolledBack) {
    return "rolledBack";
  }
  if (error) {
    return "failed";
  }
  return onlySent ? "sent" : "live";
}

/** What a step is, for who has never heard of it. */
export const stepPurpose: Record<Step, string> = {
  noticed: "until no further file was saved",
  built: "compiling, or packing what changed",
  sent: "to the container",
  swapped: "the old process ends, the new one starts",
  healthy: "until the new version answers its probe",
};

export const outcomeText: Record<ReloadOutcome, string> = {
  live: "live",
  sent: "sent",
  rolledBack: "rolled back",
  failed: "failed",
};
