import { SERVICE_NAME } from "@/lib/address";
import { environmentIn } from "@/lib/environment";
import { type Level, levels } from "./schema";

export const clocks = ["local", "utc", "relative"] as const;

/** How the time of a line is written. */
export type Clock = (typeof clocks)[number];

/** All that the screen remembers: it is its address. */
export interface LogState {
  environment?: string;
  /** Only lines of these services; none means all. */
  services: string[];
  /** The least severe level. */
  level?: Level;
  /** What the lines contain; empty for anything. */
  text: string;
  /** Whether text is a regular expression (RE2). */
  isRegexp: boolean;
  /** Fields that the lines have, each as key=value. */
  fields: string[];
  /** A range of time, as RFC 3339. Without an end the lines that come are followed. */
  from?: string;
  to?: string;
  /** The id of the line that a link leads to. */
  line?: string;
  clock: Clock;
  /** Whether long lines are broken. */
  wrap: boolean;
}

/** As the api takes them. */
const MAX_TEXT = 500;
const MAX_SERVICES = 50;
const MAX_FIELDS = 10;

/** Reads an address. What is not understood is left out. */
export function parseState(query: URLSearchParams): LogState {
  const regexp = boundedText(query.get("regexp"));
  const text = regexp || boundedText(query.get("text"));
  const services = query.getAll("service").filter((name) => SERVICE_NAME.test(name));
  const fields = query.getAll("field").filter((field) => field.indexOf("=") > 0);
  return {
    environment: environmentIn({ environment: query.get("environment") ?? undefined }),
    services: [...new Set(services)].slice(0, MAX_SERVICES),
    level: levels.find((level) => level === query.get("level")),
    text,
    isRegexp: regexp !== "",
    fields: [...new Set(fields)].slice(0, MAX_FIELDS),
    from: time(query.get("from")),
    to: time(query.get("to")),
    line: /^\d{1,19}$/.exec(query.get("line") ?? "")?.[0],
    clock: clocks.find((clock) => clock === query.get("time")) ?? "local",
    wrap: query.get("wrap") !== "off",
  };
}

function boundedText(text: string | null): string {
  return [...(text ?? "")].slice(0, MAX_TEXT).join("");
}

function time(text: string | null): string | undefined {
  return text && /^\d{4}-\d\d-\d\dT[\d:.]+(Z|[+-]\d\d:\d\d)$/.test(text) && Date.parse(text)
    ? text
    : undefined;
}

/** Writes an address, without what every address means. */
export function writeState(state: LogState): string {
  const query = filterQuery(state);
  if (state.line) {
    query.set("line", state.line);
  }
  if (state.clock !== "local") {
    query.set("time", state.clock);
  }
  if (!state.wrap) {
    query.set("wrap", "off");
  }
  return query.size > 0 ? `/logs?${query}` : "/logs";
}

/** What the api is asked for: which lines, of which time. */
export function filterQuery(state: LogState): URLSearchParams {
  const query = new URLSearchParams();
  if (state.environment) {
    query.set("environment", state.environment);
  }
  for (const service of state.services) {
    query.append("service", service);
  }
  if (state.level) {
    query.set("level", state.level);
  }
  if (state.text) {
    query.set(state.isRegexp ? "regexp" : "text", state.text);
  }
  for (const field of state.fields) {
    query.append("field", field);
  }
  if (state.from) {
    query.set("from", state.from);
  }
  if (state.to) {
    query.set("to", state.to);
  }
  return query;
}

/** The same with a limit, an order or a cursor. */
export function searchPath(state: LogState, more: Record<string, string>): string {
  const query = filterQuery(state);
  for (const [name, value] of Object.entries(more)) {
    query.set(name, value);
  }
  return `/api/v1/logs?${query}`;
}

/** Where the lines that come are watched, after the line with an id. */
export function livePath(state: LogState, after: string | undefined): string {
  const query = filterQuery({ ...state, from: undefined, to: undefined });
  if (after) {
    query.set("after", after);
  }
  return `/api/v1/logs/live?${query}`;
}

/** A file of all lines that the filters find. */
export function exportPath(state: LogState, format: "ndjson" | "text"): string {
  const query = filterQuery(state);
  query.set("format", format);
  return `/api/v1/logs/export?${query}`;
}

/** How many lines there are over a time, of the services and the level only. */
export function countsPath(state: LogState, from: string, to: string, everySeconds: number) {
  const query = filterQuery({ ...state, text: "", fields: [], from, to });
  query.set("every", String(everySeconds));
  return `/api/v1/logs/counts?${query}`;
}

/** Whether any line may be left out. */
export function isNarrowed({ services, level, text, fields, from, to }: LogState): boolean {
  return Boolean(services.length || level || text || fields.length || from || to);
}
