import { type Bar, barsOf, rangeOf } from "@/app/logs/bars";
import { foundSchema, type Level, type Line, levels } from "@/app/logs/schema";
import type { LogState } from "@/app/logs/search-params";
import type { Outcome } from "@/lib/problem";
import type { Snapshot } from "@/lib/snapshot/snapshot";
import { LINES_PATH } from "./parts";

/** The lines of a snapshot, the oldest first; those of which a file does not say when they were written are left out. */
export function linesIn(snapshot: Snapshot): Outcome<Line[]> {
  const found = snapshot.outcome(LINES_PATH, foundSchema);
  if (!found.ok) {
    return found;
  }
  const seen = new Set<string>();
  const lines = found.data.lines.filter(({ id, time }) => {
    const known = seen.has(id) || Number.isNaN(Date.parse(time));
    seen.add(id);
    return !known;
  });
  return { ok: true, data: lines.reverse() };
}

/**
 * Whether a line is one of those that an address asks for, as the api tells it: one that names
 * no level counts as information, and what stands for missing lines is of every filter. An
 * expression is tried elsewhere (use-found.ts).
 */
export function isWanted(line: Line, state: LogState): boolean {
  const { services, level, text, isRegexp, fields, from, to } = state;
  const at = Date.parse(line.time);
  return (
    (services.length === 0 || services.includes(line.service)) &&
    (!from || at >= Date.parse(from)) &&
    (!to || at <= Date.parse(to)) &&
    (line.skipped !== undefined ||
      (isAtLeast(line.level, level) &&
        fields.every((field) => has(line, field)) &&
        (isRegexp || !text || searchedIn(line).toLowerCase().includes(text.toLowerCase()))))
  );
}

function isAtLeast(level: Level = "info", least: Level = "debug"): boolean {
  return levels.indexOf(level) >= levels.indexOf(least);
}

function has({ fields }: Line, field: string): boolean {
  const [name = ""] = field.split("=", 1);
  return fields?.[name] === field.slice(name.length + 1);
}

/** What is searched of a line: its message, then its fields. */
export function searchedIn({ message, fields }: Line): string {
  const more = Object.entries(fields ?? {}).map(([key, value]) => `${key}=${value}`);
  return [message, ...more].filter(Boolean).join(" ");
}

/**
 * Lines and errors over the time that is asked for, or that the file has lines of. As those
 * of the api they are of the chosen services and level.
 */
export function barsIn(lines: readonly Line[], state: LogState, takenAt: number): Bar[] {
  const of = { ...state, text: "", fields: [] };
  const counts = lines
    .filter((line) => isWanted(line, of))
    .map(({ time, level, skipped }) => ({
      at: time,
      level,
      lines: skipped ?? 1,
      skipped: skipped !== undefined,
    }));
  const times = lines.map(({ time }) => Date.parse(time));
  const from = state.from ?? (lines.length > 0 ? iso(Math.min(...times)) : undefined);
  const to = state.to ?? iso(Math.max(takenAt, ...times));
  const range = rangeOf({ from, to }, takenAt);
  return range ? barsOf({ counts }, range, state.clock) : [];
}

function iso(at: number): string {
  return new Date(at).toISOString();
}
