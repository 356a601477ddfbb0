import { inert } from "@/lib/inert";
import type { Line } from "./schema";
import type { Clock } from "./search-params";

/** A line as a text of one or more lines, as an export has it. */
export function asText({ time, service, level, message, fields, skipped }: Line): string {
  if (skipped) {
    return `${time} ${service} ${skippedText(skipped)}`;
  }
  const more = Object.entries(fields ?? {}).map(([key, value]) => ` ${key}=${value}`);
  return inert(`${time} ${service} ${level ? `${level} ` : ""}${message}${more.join("")}`);
}

/** A line as an object, as the api gives it. */
export function asJSON(line: Line): string {
  return JSON.stringify(line);
}

export function skippedText(n: number): string {
  return `skipped ${n.toLocaleString("en")} ${n === 1 ? "line" : "lines"}`;
}

/** The time of a line: to the millisecond, or how long ago it was. */
export function timeText(time: string, clock: Clock, now: number): string {
  const at = Date.parse(time);
  if (clock === "relative") {
    return agoText(now - at);
  }
  const here = clock === "utc" ? 0 : new Date(at).getTimezoneOffset() * 60_000;
  return new Date(at - here).toISOString().slice(11, 23);
}

/** To the second in the last minute, "−12 s", then coarser: a column of them is read at a glance. */
function agoText(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1_000));
  if (seconds < 60) {
    return `−${seconds} s`;
  }
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) {
    return `−${minutes} min`;
  }
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `−${hours} h` : `−${Math.floor(hours / 24)} d`;
}
