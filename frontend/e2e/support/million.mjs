// A history of as many lines as one likes, each made when it is asked for.

const PER_SECOND = 5_000;
const LEVELS = ["info", "info", "info", "debug", "warning", "error"];

export class Million {
  /** @param count how many lines there are, the last one now */
  constructor(count) {
    this.count = count;
    this.end = Date.now();
  }

  /** A line by its number, from 1 on. */
  line(n) {
    return {
      id: String(n),
      time: new Date(this.end + ((n - this.count) * 1_000) / PER_SECOND).toISOString(),
      service: ["api", "redis", "frontend", "postgres"][n % 4],
      pod: "api-7d9c5-x2x4p",
      level: LEVELS[n % LEVELS.length],
      message: `request ${n} was answered`,
      fields: { path: `/api/v1/things/${n % 97}`, ms: String(n % 41) },
    };
  }

  /** The number of the last line that is not after a time. */
  #at(time) {
    const n = this.count + Math.floor(((Date.parse(time) - this.end) * PER_SECOND) / 1_000);
    return Math.max(0, Math.min(this.count, n));
  }

  /** A page of a search, as the api answers it; the cursor is the number of its next line. */
  search(query) {
    const limit = Number(query.get("limit") ?? 100);
    const newest = query.get("order") !== "oldest";
    const to = query.get("to");
    const begin = newest ? (to ? this.#at(to) : this.count) : this.#at(query.get("from"));
    const first = Number(query.get("cursor") ?? begin);
    const numbers = Array.from({ length: limit }, (_, i) => (newest ? first - i : first + i));
    const lines = numbers.filter((n) => n >= 1 && n <= this.count).map((n) => this.line(n));
    const next = newest ? first - limit : first + limit;
    return {
      lines,
      complete: true,
      ...(next >= 1 && next <= this.count && { next: String(next) }),
    };
  }

  /** Lines that are written after all others. */
  write(n) {
    return Array.from({ length: n }, () => this.line(++this.count));
  }
}
