import { ofType, type RunEvent } from "./schema";

/** A step of bringing an environment up. Times are in milliseconds; from is since the run began. */
export interface RunStep {
  step: string;
  title: string;
  from: number;
  /** None while it goes on. */
  took?: number;
  outcome: "going" | "done" | "unchanged" | "failed" | "cancelled";
  /** What came of it, in a few words. */
  detail: string;
}

/** One time that an environment was brought up: a `zr dev` may do so several times. */
export interface Run {
  /** The id of its first event. */
  id: number;
  run: string;
  verb: "up" | "dev";
  user: string;
  machine: string;
  /** When it began and when it told something last, in milliseconds since the epoch. */
  began: number;
  last: number;
  /** "open" has no word of an end: it goes on, or the user ended it. */
  outcome: "ready" | "failed" | "open";
  tookMs?: number;
  error: string;
  hint: string;
  steps: RunStep[];
}

const NANOSECONDS = 1e6;

/** The runs that events tell of, the newest first. */
export function runsOf(events: readonly RunEvent[]): Run[] {
  const runs: Run[] = [];
  const open = new Map<string, Run>();
  for (const event of events.toSorted((a, b) => a.id - b.id)) {
    const at = Date.parse(event.at);
    let run = open.get(event.run);
    if (!run) {
      // What ends a run whose beginning is on another page is no run of its own.
      if (event.type !== "step.started") {
        continue;
      }
      const { id, run: name, verb, user, machine } = event;
      const who = { id, run: name, verb, user, machine, began: at, last: at };
      run = { ...who, outcome: "open", error: "", hint: "", steps: [] };
      open.set(name, run);
      runs.push(run);
    }
    run.last = at;
    note(run, event, at);
    if (run.outcome !== "open") {
      open.delete(event.run);
    }
  }
  return runs.reverse();
}

/** Adds to a run what an event tells of it. */
function note(run: Run, event: RunEvent, at: number): void {
  for (const { data } of ofType("step.started", [event])) {
    const { step, title } = data;
    run.steps.push({ step, title, from: at - run.began, outcome: "going", detail: "" });
  }
  for (const { data } of ofType("step.done", [event])) {
    const outcome = data.unchanged ? "unchanged" : "done";
    end(run, data.step, { took: data.took / NANOSECONDS, outcome, detail: data.detail });
  }
  for (const { data } of ofType("step.failed", [event])) {
    const outcome = data.cancelled ? "cancelled" : "failed";
    end(run, data.step, { took: data.took / NANOSECONDS, outcome, detail: data.error });
  }
  for (const { data } of ofType("ready", [event])) {
    run.outcome = "ready";
    run.tookMs = data.took / NANOSECONDS;
  }
  for (const { data } of ofType("error", [event])) {
    Object.assign(run, { outcome: "failed", tookMs: at - run.began, ...data });
  }
}

function end(run: Run, name: string, how: Partial<RunStep>): void {
  const step = run.steps.findLast((each) => each.step === name && each.outcome === "going");
  Object.assign(step ?? {}, how);
}
