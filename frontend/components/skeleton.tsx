const ROWS = ["w-20", "w-12", "w-24", "w-16"];

/** The screen's own shape while the first answer is on its way, so that nothing jumps. */
export function Skeleton() {
  return (
    <div data-testid="loading" aria-busy="true">
      <h1 className="font-semibold text-muted text-xl tracking-tight">Asking the api…</h1>
      <div
        aria-hidden="true"
        className="mt-14 divide-y divide-line overflow-hidden rounded-lg border border-line bg-surface"
      >
        {ROWS.map((width) => (
          <div key={width} className="flex h-15 animate-pulse items-center gap-6 px-4">
            <span className={`h-3 rounded bg-line ${width}`} />
            <span className="h-3 w-16 rounded bg-line" />
            <span className="ml-auto h-3 w-28 rounded bg-line" />
          </div>
        ))}
      </div>
    </div>
  );
}
