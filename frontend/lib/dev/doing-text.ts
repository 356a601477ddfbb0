import { span } from "@/lib/time";
import { listed } from "@/lib/words";
import type { Attached, Doing } from "./schema";

/** What a run does now: "builds api for 3 s", "waits for a save". */
export function doingText({ verb, now }: Pick<Attached, "verb" | "now">, at: number): string {
  if (now.length === 0) {
    return verb === "dev" ? "waits for a save" : "between two steps";
  }
  const parts = (["running", "building", "reloading"] as const).flatMap((state) => {
    const of = now.filter((each) => each.state === state);
    return of.length > 0 ? [`${words[state]} ${listed(of.map(({ what }) => what))}`] : [];
  });
  const since = Math.min(...now.map(({ since }) => Date.parse(since)));
  return `${listed(parts)}, for ${span(at - since)}`;
}

const words: Record<Doing["state"], string> = {
  running: "brings the environment up:",
  building: "builds",
  reloading: "reloads",
};
