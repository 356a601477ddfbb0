/**
 * Tells the time by the clock of the dashboard's server, which is that of the cluster. The
 * clock of a browser may be minutes off: what it calls the last two minutes would be others.
 */
export class Clock {
  /** How far the server's clock is ahead of the browser's, in milliseconds: as near 0 as what was heard allows. */
  private ahead = 0;
  private listeners = new Set<() => void>();

  /** The time now, in milliseconds since the epoch. */
  now(): number {
    return this.byServer(Date.now());
  }

  /** A time of the browser's clock by that of the server. */
  byServer(time: number): number {
    return time + this.ahead;
  }

  /** An answer says to the second when it was written: between the two times of the browser. */
  heard(date: string | null, asked: number, answered: number): void {
    const written = Date.parse(date ?? "");
    if (Number.isNaN(written)) {
      return;
    }
    const least = written - answered;
    const most = written + 1_000 - asked;
    if (this.ahead < least || this.ahead > most) {
      this.ahead = Math.round((least + most) / 2);
      for (const listener of this.listeners) {
        listener();
      }
    }
  }

  /** Calls a function whenever another time is taken to be now; returns what ends that. */
  subscribe(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }
}

/** That of this page. */
export const serverClock = new Clock();
