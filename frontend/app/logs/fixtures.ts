import type { Line } from "./schema";

/** A line of tests: the api says that it works, but for what the test says. */
export function aLine(rest: Partial<Line> = {}): Line {
  return {
    id: "1",
    time: "2026-11-22T20:59:00.123Z",
    service: "api",
    pod: "api-7d9c5-x2x4p",
    container: "api",
    level: "info",
    message: "it works",
    ...rest,
  };
}
