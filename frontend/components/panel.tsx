import type { ReactNode } from "react";

/** A framed part of a screen under a heading of its own. */
export function Panel({
  title,
  note,
  children,
}: {
  title: string;
  /** What the content belongs to, or where there is more of it. */
  note?: ReactNode;
  children: ReactNode;
}) {
  const id = title.toLowerCase().replaceAll(" ", "-");
  return (
    <section aria-labelledby={id} className="min-w-0">
      <div className="mb-2 flex min-h-5 items-center justify-between gap-3">
        <h2 id={id} className="wrap-anywhere min-w-0 font-medium text-muted text-xs">
          {title}
        </h2>
        {note && <span className="text-muted text-xs">{note}</span>}
      </div>
      <div className="overflow-hidden rounded-lg border border-line bg-surface">{children}</div>
    </section>
  );
}
