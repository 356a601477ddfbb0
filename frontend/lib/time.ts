const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** A span in milliseconds in its two largest units: "12 s", "3 min", "4 h 5 min", "2 d 3 h". */
export function span(ms: number): string {
  // Clocks of the cluster and of the browser differ a little: nothing was in the future.
  const past = Math.max(0, ms);
  if (past < MINUTE) {
    return `${Math.floor(past / SECOND)} s`;
  }
  if (past < HOUR) {
    return `${Math.floor(past / MINUTE)} min`;
  }
  if (past < DAY) {
    return pair(Math.floor(past / HOUR), "h", Math.floor((past % HOUR) / MINUTE), "min");
  }
  return pair(Math.floor(past / DAY), "d", Math.floor((past % DAY) / HOUR), "h");
}

/** The same as a point in the past; the first second is "just now". */
export function ago(ms: number): string {
  return ms < SECOND ? "just now" : `${span(ms)} ago`;
}

/** A duration of a request: "0.8 ms", "12 ms", "1.4 s". */
export function latency(ms: number): string {
  if (ms < 10) {
    return `${ms.toFixed(1)} ms`;
  }
  return ms < SECOND ? `${Math.round(ms)} ms` : `${(ms / SECOND).toFixed(1)} s`;
}

function pair(large: number, largeUnit: string, small: number, smallUnit: string): string {
  return small === 0 ? `${large} ${largeUnit}` : `${large} ${largeUnit} ${small} ${smallUnit}`;
}
