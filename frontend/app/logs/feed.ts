import { connection } from "@/lib/connection";
import { fetchJSON } from "@/lib/fetch-json";
import type { Problem } from "@/lib/problem";
import { foundSchema, type Line, linesSchema } from "./schema";
import { type LogState, livePath, searchPath } from "./search-params";

/** How many lines are asked for at once. */
const PAGE = 500;

/**
 * How many lines are kept, and how many more may come before those go that are
 * farthest from what is seen: they can be read again.
 */
export const KEPT = 20_000;
const SLACK = 2_000;

/** How long a connection that broke is left alone, in milliseconds: at first, and at most. */
const RETRY_MS = { first: 500, most: 10_000 };

/** The api closes with this what wants to go on from too long ago. */
const TOO_OLD = 4010;

export type FeedStatus =
  /** The first lines are being read. */
  | "loading"
  /** Lines come as they are written. */
  | "live"
  /** The connection is away, and is tried again. */
  | "away"
  /** These are lines of a time that is over. */
  | "past";

/** What there is to show. It is replaced whenever something changes. */
export interface Feed {
  /** The oldest first. The list itself is the same, and grows. */
  lines: readonly Line[];
  status: FeedStatus;
  /** Lines that came since it was held still. */
  held: number;
  paused: boolean;
  /** Whether there are older lines: they can be read, are being read, or there are none. */
  older: "more" | "reading" | "none";
  /** The same of newer ones, where such were let go of while older ones were read. */
  newer: "more" | "reading" | "none";
  /** How many lines came since it began, with those that are marked as missing. */
  received: number;
  problem?: Problem;
}

/**
 * The lines that a state of the screen asks for: those that are stored, then
 * those that come. Each is there once. It is used by one page at a time.
 */
export class LogFeed {
  private lines: Line[] = [];
  /** Lines that came while it was held still. */
  private waiting: Line[] = [];
  private known = new Set<string>();
  private cursor?: string;
  /** The time of the first line where older ones were let go of: the cursor is of those. */
  private before?: string;
  /** Where newer lines are read on, once such were let go of: from there on none waits, all are read again. */
  private after?: { from: string; cursor?: string };
  private lastId?: string;
  private socket?: WebSocket;
  private retry?: ReturnType<typeof setTimeout>;
  private retryMs = RETRY_MS.first;
  /** Whether the next lines are those that a view begins with after it broke. */
  private goesOn = false;
  /** What was refused to who is not logged in, and goes on under another session. */
  private refused?: () => Promise<void>;
  private publishing = false;
  private stopped = new AbortController();
  private current: Feed = {
    lines: this.lines,
    status: "loading",
    held: 0,
    paused: false,
    older: "none",
    newer: "none",
    received: 0,
  };
  private listeners = new Set<() => void>();

  constructor(private readonly state: LogState) {}

  subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  snapshot = (): Feed => this.current;

  /** Reads the newest lines, and follows those that come where no end is asked for. */
  async start(): Promise<void> {
    this.stop();
    this.stopped = new AbortController();
    const { signal } = this.stopped;
    this.lines = [];
    this.waiting = [];
    this.known.clear();
    const follow = !this.state.to;
    this.cursor = undefined;
    this.before = undefined;
    this.after = undefined;
    this.update({
      lines: this.lines,
      status: "loading",
      problem: undefined,
      held: 0,
      newer: "none",
      received: 0,
    });
    try {
      // What is written from here on comes live, however old the last line is that the filter finds.
      const newest = follow ? await this.search({ limit: "1" }, true) : undefined;
      this.lastId = newest?.lines[0]?.id;
      await this.readOlder();
      if (follow) {
        this.connect();
      }
      if (!follow) {
        this.update({ status: "past" });
      }
    } catch (problem) {
      this.fail(problem, signal, () => this.start());
    }
  }

  stop(): void {
    this.stopped.abort();
    clearTimeout(this.retry);
    this.refused = undefined;
    this.socket?.close();
    this.socket = undefined;
    connection.found("lines");
  }

  /** Goes on with what was refused, under another session. */
  renew(): void {
    const { refused } = this;
    this.refused = undefined;
    if (this.current.problem?.code === "not_logged_in") {
      this.update({ problem: undefined });
    }
    void refused?.();
  }

  /** Holds the screen still: lines that come wait. */
  pause(): void {
    this.update({ paused: true });
  }

  /** Shows the lines that waited, and goes on. */
  resume(): void {
    if (this.after) {
      this.update({ paused: false });
      void this.start();
      return;
    }
    const waited = this.waiting;
    this.waiting = [];
    this.update({ paused: false, held: 0 });
    this.append(waited);
  }

  /** Reads a page of lines that are older than all others. */
  async loadOlder(): Promise<void> {
    if (this.current.older !== "more") {
      return;
    }
    const { signal } = this.stopped;
    try {
      await this.readOlder();
      this.letGoOfNewest();
    } catch (problem) {
      this.update({ older: "more" });
      this.fail(problem, signal);
    }
  }

  /** Reads a page of lines that are newer than all others, where such were let go of. */
  async loadNewer(): Promise<void> {
    if (this.current.newer !== "more" || !this.after) {
      return;
    }
    const { signal } = this.stopped;
    const { after } = this;
    this.update({ newer: "reading" });
    try {
      const page = await this.search({ limit: String(PAGE), order: "oldest", ...after });
      const last = new Set(this.lines.slice(-PAGE).map(({ id }) => id));
      this.lines.push(...page.lines.filter(({ id }) => !last.has(id)));
      after.cursor = page.next;
      this.letGoOfOldest();
      this.update({ newer: page.next ? "more" : "none" });
    } catch (problem) {
      this.update({ newer: "more" });
      this.fail(problem, signal);
    }
  }

  /** A search looks for two seconds at most, so one that found little goes on. */
  private async readOlder(): Promise<void> {
    this.update({ older: "reading" });
    for (let found = 0; found < PAGE; ) {
      const page = await this.search({
        limit: String(PAGE),
        ...(this.before && { to: this.before }),
        ...(this.cursor && { cursor: this.cursor }),
      });
      const fresh = page.lines.filter(({ id }) => !this.known.has(id)).reverse();
      for (const { id } of fresh) {
        this.known.add(id);
      }
      this.lines.unshift(...fresh);
      this.cursor = page.next;
      found += fresh.length;
      this.update({ older: page.next ? "reading" : "none" });
      if (!page.next || page.complete) {
        break;
      }
    }
    this.update({ older: this.cursor ? "more" : "none" });
  }

  private search(more: Record<string, string>, unfiltered = false) {
    const state = unfiltered ? { ...this.state, ...NO_FILTER } : this.state;
    return fetchJSON(searchPath(state, more), foundSchema, this.stopped.signal);
  }

  private connect(): void {
    const url = new URL(livePath(this.state, this.lastId), location.href);
    url.protocol = url.protocol.replace("http", "ws");
    const socket = new WebSocket(url);
    this.socket = socket;
    socket.onopen = () => {
      this.retryMs = RETRY_MS.first;
      connection.found("lines");
      this.update({ status: "live", problem: undefined });
    };
    socket.onmessage = ({ data }) => {
      const parsed = linesSchema.safeParse(JSON.parse(String(data)));
      if (parsed.success) {
        this.receive(parsed.data);
      }
    };
    socket.onclose = ({ code }) => {
      if (this.stopped.signal.aborted || this.socket !== socket) {
        return;
      }
      this.goesOn = true;
      connection.lost("lines");
      this.update({ status: "away" });
      // Where more was missed than a live view hands out, it begins anew.
      this.later(() => (code === TOO_OLD ? this.start() : this.reconnect()));
    };
  }

  /** A WebSocket does not say why it was refused: a search does. */
  private async reconnect(): Promise<void> {
    const { signal } = this.stopped;
    try {
      await this.search({ limit: "1" }, true);
      this.connect();
    } catch (problem) {
      this.fail(problem, signal, () => this.reconnect());
    }
  }

  private later(again: () => Promise<void>): void {
    clearTimeout(this.retry);
    this.retry = setTimeout(() => void again(), this.retryMs);
    this.retryMs = Math.min(2 * this.retryMs, RETRY_MS.most);
  }

  private receive(lines: Line[]): void {
    const fresh = lines.filter(({ id }) => !this.known.has(id));
    this.lastId = lines.at(-1)?.id ?? this.lastId;
    if (this.goesOn) {
      this.goesOn = false;
      connection.skipped(lines.reduce((sum, { skipped }) => sum + (skipped ?? 0), 0));
    }
    this.publish({ received: this.current.received + count(fresh) });
    if (!this.current.paused) {
      this.append(fresh);
      return;
    }
    if (!this.after) {
      this.waiting.push(...fresh);
    }
    if (this.waiting.length > KEPT + SLACK) {
      this.waiting = shortened(this.waiting);
    }
    this.publish({ held: this.current.held + fresh.length });
  }

  private append(lines: Line[]): void {
    for (const line of lines) {
      this.lines.push(line);
    }
    this.letGoOfOldest();
    this.publish({});
  }

  /** Keeps the memory that the lines take bounded. */
  private letGoOfOldest(): void {
    const over = this.lines.length - KEPT;
    if (over <= SLACK) {
      return;
    }
    this.lines.splice(0, over);
    this.known = new Set(this.lines.slice(0, PAGE).map(({ id }) => id));
    this.cursor = undefined;
    this.before = this.lines[0]?.time;
    this.publish({ older: "more" });
  }

  /** The same at the other end, where somebody reads far back. */
  private letGoOfNewest(): void {
    if (!this.current.paused || this.lines.length <= KEPT + SLACK) {
      return;
    }
    for (const { id } of this.lines.splice(KEPT)) {
      this.known.delete(id);
    }
    this.waiting = [];
    this.after = { from: this.lines[KEPT - 1]?.time ?? "" };
    this.update({ newer: "more" });
  }

  /** Tells a problem of what was not stopped meanwhile, and tries again where that can help. */
  private fail(error: unknown, signal: AbortSignal, again?: () => Promise<void>): void {
    if (signal.aborted) {
      return;
    }
    const problem = error as Problem;
    this.update({ problem });
    // For others to ask again changes nothing, and each refusal is a record of the audit log.
    if (again && problem.code !== "not_logged_in" && problem.code !== "bad_query") {
      this.later(again);
    } else if (again) {
      this.refused = again;
      connection.found("lines");
    }
  }

  private update(change: Partial<Feed>): void {
    this.current = { ...this.current, ...change };
    for (const listener of this.listeners) {
      listener();
    }
  }

  /** The same for what may come thousands of times a second: once a frame. */
  private publish(change: Partial<Feed>): void {
    this.current = { ...this.current, ...change };
    if (!this.publishing) {
      this.publishing = true;
      requestAnimationFrame(() => {
        this.publishing = false;
        this.update({});
      });
    }
  }
}

const NO_FILTER = {
  services: [],
  level: undefined,
  text: "",
  fields: [],
  from: undefined,
};

/** The newest of lines, after one that says how many are missing. */
function shortened(lines: Line[]): Line[] {
  const cut = lines.length - KEPT;
  const [first] = lines;
  const gone = count(lines.slice(0, cut));
  const marker = first && { ...first, message: "", fields: undefined, skipped: gone };
  return [...(marker ? [marker] : []), ...lines.slice(cut)];
}

/** How many lines were written, with those that are marked as missing. */
function count(lines: Line[]): number {
  return lines.reduce((sum, { skipped }) => sum + (skipped ?? 1), 0);
}
