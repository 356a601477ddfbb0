import type { Delivery, Moment } from "@/lib/dev/schema";
import { useLocalText } from "@/lib/local-time";

/** In units of its own; its width is one for each slice. */
const HEIGHT = 20;
/** The least height of what there was: a small figure is seen too. */
const LEAST = 1.5;

/** A figure over time, a bar for each slice; where there was nothing, there is none. */
export function Curve({
  label,
  delivery: { from, to, stepSeconds },
  moments,
  value,
  text,
}: {
  label: string;
  delivery: Delivery;
  moments: Moment[];
  value: (moment: Moment) => number | undefined;
  text: (value: number) => string;
}) {
  const local = useLocalText();
  const begin = Date.parse(from);
  const slices = Math.max(1, Math.ceil((Date.parse(to) - begin) / (stepSeconds * 1_000)));
  const bars = moments.flatMap((moment) => {
    const figure = value(moment);
    const at = Math.round((Date.parse(moment.at) - begin) / (stepSeconds * 1_000));
    return figure === undefined ? [] : [{ at, figure, since: moment.at }];
  });
  const most = Math.max(0, ...bars.map(({ figure }) => figure));
  const least = Math.min(...bars.map(({ figure }) => figure));
  return (
    <svg
      role="img"
      aria-label={bars.length > 0 ? `${label}, from ${text(least)} to ${text(most)}` : label}
      data-testid="curve"
      viewBox={`0 0 ${slices} ${HEIGHT}`}
      preserveAspectRatio="none"
      className="mt-2 block h-10 w-full border-line border-b"
    >
      {bars.map(({ at, figure, since }) => {
        const height = figure > 0 ? Math.max(LEAST, (HEIGHT * figure) / most) : 0.4;
        return (
          <g key={since}>
            <rect
              x={at + 0.1}
              y={HEIGHT - height}
              width="0.8"
              height={height}
              className="fill-accent/70"
            />
            <rect x={at} width="1" height={HEIGHT} className="fill-transparent">
              <title>{`${local(since, "date")}: ${text(figure)}`}</title>
            </rect>
          </g>
        );
      })}
    </svg>
  );
}
