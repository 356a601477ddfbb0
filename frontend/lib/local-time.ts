import { useTakenOver } from "./use-taken-over";

const clock = { hour: "2-digit", minute: "2-digit", hourCycle: "h23" } as const;

/** How much of a moment is written, with an example of each. */
const formats = {
  /** "14:05:07" */
  time: new Intl.DateTimeFormat("en-GB", { ...clock, second: "2-digit" }),
  /** "Sat 14:05" */
  day: new Intl.DateTimeFormat("en-GB", { ...clock, weekday: "short" }),
  /** "28 Nov 2026, 14:05:07" */
  date: new Intl.DateTimeFormat("en-GB", {
    ...clock,
    second: "2-digit",
    day: "numeric",
    month: "short",
    year: "numeric",
  }),
};

type Detail = keyof typeof formats;

/** A moment in the time zone of who runs this: in the browser, never on the server. */
export function localText(at: string, detail: Detail): string {
  return formats[detail].format(Date.parse(at));
}

/**
 * Writes moments in the time zone of the browser. The server does not know that zone,
 * and the page that the browser takes over must say what the server wrote: until then
 * it is UTC, and says so.
 */
export function useLocalText(): typeof localText {
  return useTakenOver() ? localText : utcText;
}

/** A moment in UTC, as machines write it: "2026-11-28 14:05:07 UTC". */
export function utcText(at: string): string {
  return `${new Date(at).toISOString().slice(0, 19).replace("T", " ")} UTC`;
}
