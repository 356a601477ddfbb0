import type { Counts } from "./schema";

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

/** A bar for each interval, also for those without lines. */
export function barsOf({ counts }: Counts, { from, to, everySeconds }: BarRange): Bar[] {
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
  for (const bar of bars) {
    bar.label = labelOf(bar);
  }
  return bars;
}

const clock = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" });

function labelOf({ from, to, lines, errors, warnings, skipped }: Bar): string {
  const counts = [
    count(lines, "line"),
    errors > 0 && count(errors, "error"),
    warnings > 0 && count(warnings, "warning"),
    skipped > 0 && `${skipped} missing`,
  ];
  return `${clock.format(from)}–${clock.format(to)}: ${counts.filter(Boolean).join(", ")}`;
}

function count(n: number, word: string): string {
  return `${n} ${word}${n === 1 ? "" : "s"}`;
}
