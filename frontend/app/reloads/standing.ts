import type { Attached, Told } from "@/lib/dev/schema";

/** Of what runs that are attached told, the newest first: the faults that have not been cleared. */
export function standing(told: Told<"problem">[], attached: Attached[]): Told<"problem">[] {
  const seen = new Set<string>();
  return told.filter(({ run, data }) => {
    const key = `${run} ${data.source}`;
    if (seen.has(key) || !attached.some((each) => each.run === run)) {
      return false;
    }
    seen.add(key);
    return !data.cleared;
  });
}
