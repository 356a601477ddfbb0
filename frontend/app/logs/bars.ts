import type { Counts } from "./schema";
import type { Clock } from "./search-params";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** How many bars there are at most. */
const BARS = 60;

/** Lines of one interval. */
export interface Bar {
  /** Milliseconds since the epoch; to is where the next one begins. */
  from: number;
  to: number;
  lines: number;
  errors: number;
  warnings: number;
  /** Lines that are missing. */
  skipped: number;
  /** All of it in words. */
  label: string;
}

export interface BarRange {
  from: number;
  to: number;
  everySeconds: number;
}

/**
 * The time that the bars are of: what is asked for, or the last hour; undefined where it
 * ends before it begins. Counts are kept by whole minutes, and told of a day at most.
 */
export function rangeOf(
  { from, to }: { from?: string; to?: string },
  now: number,
): BarRange | undefined {
  const end = to ? Date.parse(to) : now;
  const begin = from ? Math.max(Date.parse(from), end - BARS * DAY) : end - HOUR;
  if (end < begin) {
    return undefined;
  }
  const minutes = Math.max(1, Math.ceil((end - begin) / BARS / MINUTE));
  const every = minutes * MINUTE;
  return { from: Math.floor(begin / every) * every, to: end, everySeconds: minutes * 60 };
}

/** A bar for each interval, also for those without lines; its words are by the clock of the lines. */
export function barsOf(
  { counts }: Counts,
  { from, to, everySeconds }: BarRange,
  clock: Clock = "local",
): Bar[] {
  const every = everySeconds * 1_000;
  const bars: Bar[] = [];
  for (let at = from; at <= to && bars.length <= BARS; at += every) {
    bars.push({
      from: at,
      to: at + every,
      lines: 0,
      errors: 0,
      warnings: 0,
      skipped: 0,
      label: "",
    });
  }
  for (const { at, level, lines, skipped } of counts) {
    const bar = bars[Math.floor((Date.parse(at) - from) / every)];
    if (bar && skipped) {
      bar.skipped += lines;
    } else if (bar) {
      bar.lines += lines;
      bar.errors += level === "error" ? lines : 0;
      bar.warnings += level === "warning" ? lines : 0;
    }
  }
  const minute = minutes[clock === "utc" ? "utc" : "local"];
  const isOfDays = to - from > HALF_DAY;
  for (const bar of bars) {
    const begin = (isOfDays ? minute.withDay : minute.alone).format(bar.from);
    bar.label = `${begin}–${minute.alone.format(bar.to)}: ${wordsOf(bar)}`;
  }
  return bars;
}

/** From this on the same time of day may be that of two days. */
const HALF_DAY = 12 * HOUR;

const minutes = { local: minuteIn(undefined), utc: minuteIn("UTC") };

function minuteIn(timeZone: string | undefined) {
  const minute = { hour: "2-digit", minute: "2-digit", hourCycle: "h23", timeZone } as const;
  return {
    alone: new Intl.DateTimeFormat("en-GB", minute),
    withDay: new Intl.DateTimeFormat("en-GB", { ...minute, weekday: "short" }),
  };
}

function wordsOf({ lines, errors, warnings, skipped }: Bar): string {
  const counts = [
    count(lines, "line"),
    errors > 0 && count(errors, "error"),
    warnings > 0 && count(warnings, "warning"),
    skipped > 0 && `${skipped} missing`,
  ];
  return counts.filter(Boolean).join(", ");
}

function count(n: number, word: string): string {
  return `${n} ${word}${n === 1 ? "" : "s"}`;
}
