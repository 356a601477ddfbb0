import { withQuery } from "@/lib/with-query";
import { outcomes, type RecordOutcome } from "./schema";

/** Which records are listed: those that are so in each that is given. */
export interface Filter {
  /** Who did it. */
  actor?: string;
  /** What he did: the id of a route, or a method. */
  action?: string;
  /** What he did it to. */
  target?: string;
  outcome?: RecordOutcome;
}

/** The part of the audit log that an address asks for. */
export interface ActivityPart extends Filter {
  cursor?: string;
}

/** What the api takes of each. */
const allowed = {
  actor: /^[ -~]{1,200}$/,
  action: /^[A-Za-z]{1,64}$/,
  target: /^[ -~]{1,253}$/,
  cursor: /^.{1,64}$/,
};

/** Whether records can be found by a text: an address takes what the api takes. */
export function isFilter(name: "actor" | "action" | "target", text: string): boolean {
  return allowed[name].test(text);
}

/** Reads an address. What is not understood is left out. */
export function partOf(query: Record<string, string | string[] | undefined>): ActivityPart {
  const given = (name: keyof typeof allowed) => {
    const text = query[name];
    return typeof text === "string" && allowed[name].test(text) ? text : undefined;
  };
  return {
    actor: given("actor"),
    action: given("action"),
    target: given("target"),
    outcome: outcomes.find((outcome) => outcome === query.outcome),
    cursor: given("cursor"),
  };
}

/** The address of a part. */
export function placeOf({ actor, action, target, outcome, cursor }: ActivityPart): string {
  return withQuery("/activity", { actor, action, target, outcome, cursor });
}
