import { useLocalText } from "@/lib/local-time";
import type { Point } from "@/lib/stack/uptime";
import { latency } from "@/lib/time";

/** The height of the chart in units of its own; its width is one for each step. */
const HEIGHT = 40;

/** The 95th percentile over time. Where nothing was answered the line has a gap. */
export function LatencyChart({ points }: { points: Point[] }) {
  const text = useLocalText();
  const moment = (point: Point | undefined) => point && text(point.at, "day");
  const known = points.flatMap(({ p95 }) => (p95 === undefined ? [] : [p95]));
  if (known.length === 0) {
    return (
      <p className="px-4 py-3 text-muted text-xs">
        Nothing is measured. The api asks PostgreSQL and Redis of its own environment; other
        services are as Kubernetes says.
      </p>
    );
  }
  const most = Math.max(...known);
  return (
    <div className="px-4 py-3">
      <div className="flex justify-between text-muted text-xs">
        <span>{latency(most)}</span>
        <span>95th percentile</span>
      </div>
      <svg
        role="img"
        data-testid="latency-chart"
        aria-label={`95th percentile of the latency: ${latency(Math.min(...known))} to ${latency(most)}`}
        viewBox={`0 0 ${points.length} ${HEIGHT}`}
        preserveAspectRatio="none"
        className="my-1 block h-24 w-full overflow-visible border-line border-y"
      >
        <path
          d={line(points, most)}
          vectorEffect="non-scaling-stroke"
          strokeLinecap="round"
          strokeLinejoin="round"
          className="fill-none stroke-2 stroke-accent"
        />
      </svg>
      <div className="flex justify-between text-muted text-xs">
        <span>0 ms</span>
        <span className="flex gap-4">
          <time dateTime={points[0]?.at}>{moment(points[0])}</time>
          <span aria-hidden="true">–</span>
          <time dateTime={points.at(-1)?.at}>{moment(points.at(-1))}</time>
        </span>
      </div>
    </div>
  );
}

/** An SVG path; a step alone, without neighbours, is a dot. */
export function line(points: Point[], most: number): string {
  return points
    .map(({ p95 }, i) => {
      if (p95 === undefined) {
        return "";
      }
      const at = `${i + 0.5} ${(HEIGHT * (1 - p95 / (most || 1))).toFixed(2)}`;
      return points[i - 1]?.p95 === undefined ? `M${at}h0.01` : `L${at}`;
    })
    .join("");
}
