import { type localText, useLocalText } from "@/lib/local-time";
import type { PastState, Point } from "@/lib/stack/uptime";
import { pastStateText, percent } from "@/lib/stack/uptime-text";

/** Of a step's height: a state is a length of its own beside its colour. */
const height: Record<PastState, number> = {
  healthy: 10,
  unhealthy: 10,
  starting: 10,
  stopped: 4,
  unknown: 1,
};

const color: Record<PastState, string> = {
  healthy: "fill-healthy/60",
  unhealthy: "fill-unhealthy",
  starting: "fill-starting",
  stopped: "fill-pending/70",
  unknown: "fill-muted/60",
};

const drawn: PastState[] = ["healthy", "unhealthy", "starting", "stopped", "unknown"];

/**
 * How a service was, a bar for each step of time: what was lost of a step hangs
 * from the top. A path for each state, so that hundreds of strips stay light.
 */
export function HealthStrip({
  points,
  label,
  steps = false,
  className,
}: {
  points: Point[];
  label: string;
  /** Whether each step says, under the pointer, what it was. */
  steps?: boolean;
  className?: string;
}) {
  const moment = useLocalText();
  return (
    <svg
      role="img"
      aria-label={label}
      data-testid="health-strip"
      viewBox={`0 0 ${Math.max(1, points.length)} 10`}
      preserveAspectRatio="none"
      className={`block ${className ?? ""}`}
    >
      {drawn.map((state) => {
        const path = points.map((point, i) => part(point, i, state)).join("");
        return path && <path key={state} d={path} className={color[state]} />;
      })}
      {steps &&
        points.map((point, i) => (
          <rect key={point.at} x={i} width="1" height="10" className="fill-transparent">
            <title>{stepText(point, moment)}</title>
          </rect>
        ))}
    </svg>
  );
}

/** The least height of what went wrong in a step: a second in six hours is seen too. */
const LEAST = 2;

/** The bar, of all those of a step, that is of a state. */
function part({ state, uptime = 0 }: Point, i: number, of: PastState): string {
  const lost = Math.max(LEAST, 10 * (1 - uptime));
  const broken = state === "unhealthy" || state === "starting";
  if (broken && of === "healthy" && lost < 10) {
    return bar(i, lost, 10 - lost);
  }
  if (state !== of) {
    return "";
  }
  return broken ? bar(i, 0, lost) : bar(i, 10 - height[of], height[of]);
}

function bar(i: number, y: number, length: number): string {
  return `M${i + 0.08} ${y.toFixed(1)}h.84v${length.toFixed(1)}h-.84z`;
}

function stepText({ at, state, uptime }: Point, moment: typeof localText): string {
  const share = uptime === undefined ? "" : `, healthy ${percent(uptime)}`;
  return `${moment(at, "date")}: ${pastStateText[state]}${share}`;
}
