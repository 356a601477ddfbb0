import { foundSchema, type Line, levels } from "@/app/logs/schema";
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

/** Whether a line is one of those that an address asks for. Here is no api to ask, and no expression is tried. */
export function isWanted(line: Line, state: LogState): boolean {
  const { services, level, text, fields, from, to } = state;
  const at = Date.parse(line.time);
  return (
    (services.length === 0 || services.includes(line.service)) &&
    (!level || (line.level !== undefined && levels.indexOf(line.level) >= levels.indexOf(level))) &&
    line.message.toLowerCase().includes(text.toLowerCase()) &&
    fields.every((field) => has(line, field)) &&
    (!from || at >= Date.parse(from)) &&
    (!to || at <= Date.parse(to))
  );
}

function has({ fields }: Line, field: string): boolean {
  const [name = ""] = field.split("=", 1);
  return fields?.[name] === field.slice(name.length + 1);
}
