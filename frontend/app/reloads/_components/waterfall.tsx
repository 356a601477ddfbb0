/** A part of something that took time; in milliseconds. */
export interface Part {
  name: string;
  from: number;
  took: number;
  /** A class that fills it. */
  color: string;
}

/** Parts of one whole, one after the other in a bar. */
export function Bar({ parts, total, label }: { parts: Part[]; total: number; label: string }) {
  return (
    <svg
      role="img"
      aria-label={label}
      viewBox="0 0 1000 10"
      preserveAspectRatio="none"
      className="block h-2 w-full overflow-hidden rounded-full bg-line"
    >
      {parts.map(({ name, from, took, color }, i) => (
        <rect
          key={name}
          x={place(from, total)}
          // A gap tells two parts apart without their colours.
          width={Math.max(2, place(took, total) - (i < parts.length - 1 ? 4 : 0))}
          height="10"
          className={color}
        />
      ))}
    </svg>
  );
}

/** Parts that may overlap, a row for each, with where each begins and how long it is. */
export function Waterfall({
  rows,
  total,
}: {
  rows: (Part & { took: number; note?: string; text: string })[];
  total: number;
}) {
  return (
    <ol data-testid="waterfall" className="grid gap-1 text-xs">
      {rows.map(({ name, from, took, color, note, text }) => (
        <li
          key={`${name} ${from}`}
          data-step={name}
          className="grid grid-cols-[7rem_minmax(0,1fr)_4.5rem] items-center gap-x-3"
        >
          <span className="wrap-anywhere">{name}</span>
          <svg
            aria-hidden="true"
            viewBox="0 0 1000 10"
            preserveAspectRatio="none"
            className="block h-2 w-full overflow-hidden rounded-full bg-line/60"
          >
            <rect
              x={Math.min(995, place(from, total))}
              width={Math.max(5, place(took, total))}
              height="10"
              className={color}
            />
          </svg>
          <span className="whitespace-nowrap text-right">{text}</span>
          {note && <span className="wrap-anywhere col-span-3 text-muted">{note}</span>}
        </li>
      ))}
    </ol>
  );
}

/** Of a thousand. */
function place(ms: number, total: number): number {
  return total > 0 ? Math.round((1_000 * ms) / total) : 0;
}
