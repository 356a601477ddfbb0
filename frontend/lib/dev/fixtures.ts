import { NOW } from "@/lib/stack/fixtures";
import type { Attached, Delivery, EventType, Flow, RunEvent } from "./schema";

const MS = 1e6;

/** A run of tests: ana's zr dev, for an hour, that waits for a save, but for what the test says. */
export function anAttached(rest: Partial<Attached> = {}): Attached {
  return {
    run: "R1",
    verb: "dev",
    user: "ana",
    machine: "laptop",
    folder: "/home/ana/shop",
    process: 4711,
    since: new Date(NOW - 3_600_000).toISOString(),
    actions: ["apply", "rebuild", "restart"],
    now: [],
    ...rest,
  };
}

let ids = 0;

/** An event of tests, later than those before it. */
export function anEvent(type: EventType | "notice", data: unknown, rest: Partial<RunEvent> = {}) {
  ids++;
  const event: RunEvent = {
    id: ids,
    run: "R1",
    verb: "dev",
    user: "ana",
    machine: "laptop",
    folder: "/home/ana/shop",
    at: new Date(NOW - 60_000).toISOString(),
    type,
    service: "",
    data,
    places: [],
    ...rest,
  };
  return event;
}

/** A save of tests: of one file of the api, live after 400 ms, but for what the test says. */
export function aSave(data: object = {}, rest: Partial<RunEvent> = {}): RunEvent {
  return anEvent(
    "reload",
    {
      service: "api",
      action: "restart",
      paths: ["cmd/api/main.go"],
      bytes: 1_024,
      saved: new Date(NOW - 60_000).toISOString(),
      noticed: 10 * MS,
      built: 300 * MS,
      sent: 20 * MS,
      swapped: 30 * MS,
      healthy: 40 * MS,
      ...data,
    },
    { service: "api", ...rest },
  );
}

const noFlow: Flow = { changes: 0, perHour: 0, failed: 0, rolledBack: 0, broken: 0, curve: [] };

/** Metrics of tests over an hour: of nothing, but for what the test says. */
export function aDelivery(reloads: Partial<Flow> = {}, deploys: Partial<Flow> = {}): Delivery {
  return {
    from: new Date(NOW - 3_600_000).toISOString(),
    to: new Date(NOW).toISOString(),
    stepSeconds: 300,
    reloads: { ...noFlow, ...reloads },
    deploys: { ...noFlow, ...deploys },
  };
}
