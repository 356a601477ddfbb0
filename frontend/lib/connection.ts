import { useSyncExternalStore } from "react";
import { serverClock } from "./clock";
import { STALE_AFTER_MS } from "./freshness";

/** What can be away: answers to what is asked for, and each of the views that stay open. */
export type Source = "answers" | "services" | "runs" | "lines";

/** A time, in milliseconds since the epoch, in which something was not known as it happened. */
export interface Absence {
  from: number;
  to: number;
  /** Lines that a view of the logs left out when it went on. */
  skipped: number;
}

export interface Connected {
  /** What is away now, and when the first of it was heard last, in milliseconds since the epoch. */
  away?: { sources: readonly Source[]; since: number; noticed: number };
  /** The last absence, until it is dismissed or another one begins. */
  missed?: Absence;
}

const nothingAway: Connected = {};

/**
 * Knows what of the api is away, and for how long it was. An absence that is
 * shorter than what makes data stale is none: the api swaps its process in less.
 */
export class Connection {
  private current = nothingAway;
  private answeredAt?: number;
  private skippedMeanwhile = 0;
  private listeners = new Set<() => void>();

  constructor(private readonly now: () => number = () => serverClock.now()) {}

  subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  snapshot = (): Connected => this.current;

  lost(source: Source): void {
    const { away } = this.current;
    if (away?.sources.includes(source)) {
      return;
    }
    const noticed = this.now();
    const since = (source === "answers" && this.answeredAt) || noticed;
    this.skippedMeanwhile = away ? this.skippedMeanwhile : 0;
    this.update({
      ...this.current,
      away: away
        ? { ...away, sources: [...away.sources, source] }
        : { sources: [source], since, noticed },
    });
  }

  /** It is there again, or nobody wants it any more. */
  found(source: Source): void {
    const to = this.now();
    if (source === "answers") {
      this.answeredAt = to;
    }
    const { away, missed } = this.current;
    if (!away?.sources.includes(source)) {
      return;
    }
    const sources = away.sources.filter((each) => each !== source);
    if (sources.length > 0) {
      this.update({ missed, away: { ...away, sources } });
      return;
    }
    const absence = { from: away.since, to, skipped: this.skippedMeanwhile };
    this.update({ missed: isLong(away, to) ? absence : missed });
  }

  /** Says that lines were left out when a view went on. */
  skipped(lines: number): void {
    const { away, missed } = this.current;
    if (away) {
      this.skippedMeanwhile += lines;
    } else if (missed && lines > 0) {
      this.update({ missed: { ...missed, skipped: missed.skipped + lines } });
    }
  }

  dismiss(): void {
    this.update({ away: this.current.away });
  }

  private update(to: Connected): void {
    this.current = to;
    for (const listener of this.listeners) {
      listener();
    }
  }
}

/** Whether something has been away for long enough to be told. */
export function isLong({ noticed }: { noticed: number }, now: number): boolean {
  return now - noticed >= STALE_AFTER_MS;
}

/** That of this page to the api. */
export const connection = new Connection();

export function useConnection(): Connected {
  return useSyncExternalStore(connection.subscribe, connection.snapshot, () => nothingAway);
}
