import { connection } from "@/lib/connection";
import { fetchJSON } from "@/lib/fetch-json";
import type { Problem } from "@/lib/problem";
import { withQuery } from "@/lib/with-query";
import { type Attached, frameSchema, type RunEvent, runEventsSchema } from "./schema";

/** How many events are kept of those that came: a page of older ones is read from the api. */
const KEPT = 1_000;

/** How long a connection that broke is left alone, in milliseconds: at first, and at most. */
const RETRY_MS = { first: 500, most: 10_000 };

export type FeedStatus =
  /** It has not been reached yet. */
  | "connecting"
  /** What happens comes as it is stored. */
  | "live"
  /** The connection is away, and is tried again. */
  | "away"
  /** Who asks may not see it. */
  | "refused";

/** What came. It is replaced whenever something does. */
export interface Feed {
  status: FeedStatus;
  /** The newest first. */
  events: readonly RunEvent[];
}

/**
 * What runs of zr tell, as it is stored, and who is attached, as that changes. A
 * connection that breaks goes on after the last event that it had.
 */
export class DevFeed {
  private lastId?: number;
  private socket?: WebSocket;
  private retry?: ReturnType<typeof setTimeout>;
  private retryMs = RETRY_MS.first;
  private stopped = new AbortController();
  private current: Feed = { status: "connecting", events: [] };
  private listeners = new Set<() => void>();

  constructor(
    private readonly environment: string | undefined,
    private readonly onAttached: (attached: Attached[]) => void,
    private readonly onBegin: () => void,
  ) {}

  subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  snapshot = (): Feed => this.current;

  /** Follows what happens from now on. */
  start(): void {
    this.stop();
    this.stopped = new AbortController();
    void this.begin();
  }

  /** Goes on where it was refused, under another session. */
  renew(): void {
    if (this.current.status === "refused") {
      this.start();
    }
  }

  stop(): void {
    this.stopped.abort();
    clearTimeout(this.retry);
    this.socket?.close();
    this.socket = undefined;
    connection.found("runs");
  }

  /** A WebSocket does not say why it was refused: a page of one event does, and says where to go on. */
  private async begin(): Promise<void> {
    const { signal } = this.stopped;
    const { environment } = this;
    const path = withQuery("/api/v1/dev/events", { environment, limit: "1" });
    try {
      const { events } = await fetchJSON(path, runEventsSchema, signal);
      const first = this.lastId === undefined;
      this.lastId ??= events[0]?.id ?? 0;
      this.connect(first);
    } catch (error) {
      if (signal.aborted) {
        return;
      }
      if ((error as Problem).code === "not_logged_in") {
        connection.found("runs");
        this.update({ status: "refused" });
        return;
      }
      this.update({ status: "away" });
      this.later();
    }
  }

  private connect(first: boolean): void {
    const { environment } = this;
    const path = withQuery("/api/v1/dev/live", { environment, after: String(this.lastId) });
    const url = new URL(path, location.href);
    url.protocol = url.protocol.replace("http", "ws");
    const socket = new WebSocket(url);
    this.socket = socket;
    socket.onopen = () => {
      this.retryMs = RETRY_MS.first;
      connection.found("runs");
      this.update({ status: "live" });
      if (first) {
        this.onBegin();
      }
    };
    socket.onmessage = ({ data }) => {
      const { success, data: frame } = frameSchema.safeParse(JSON.parse(String(data)));
      if (success) {
        this.receive(frame.events);
        if (frame.attached) {
          this.onAttached(frame.attached);
        }
      }
    };
    socket.onclose = () => {
      if (!this.stopped.signal.aborted && this.socket === socket) {
        connection.lost("runs");
        this.update({ status: "away" });
        this.later();
      }
    };
  }

  private receive(events: RunEvent[]): void {
    const last = events.at(-1);
    if (last) {
      this.lastId = last.id;
      this.update({ events: [...events.toReversed(), ...this.current.events].slice(0, KEPT) });
    }
  }

  private later(): void {
    clearTimeout(this.retry);
    this.retry = setTimeout(() => void this.begin(), this.retryMs);
    this.retryMs = Math.min(2 * this.retryMs, RETRY_MS.most);
  }

  private update(change: Partial<Feed>): void {
    this.current = { ...this.current, ...change };
    for (const listener of this.listeners) {
      listener();
    }
  }
}
