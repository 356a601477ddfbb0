/** Stands where nothing is known. */
export function None() {
  return (
    <span className="font-sans text-muted">
      <span aria-hidden="true">–</span>
      <span className="sr-only">none</span>
    </span>
  );
}
