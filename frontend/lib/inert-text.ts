import { z } from "zod";
import { inert } from "./inert";

/** As much of a text as somebody reads in one place, in UTF-16 units; with more of it in many places a page would stall. */
const MOST = 10_000;

/** A text that is hardly longer is shown whole: so is one that was cut before, with what is said of the rest. */
const NOTE = 60;

/** What is shown of a text that somebody else wrote: it does nothing to what is around it, and has an end. */
export function shownText(text: string): string {
  return text.length <= MOST + NOTE
    ? inert(text)
    : `${inert(text.slice(0, MOST))}… (${(text.length - MOST).toLocaleString("en")} more characters)`;
}

/** A text that somebody else wrote, to be shown and not to be sent on. */
export const inertText = z.string().transform(shownText);
