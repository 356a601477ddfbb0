/** The api answers, and the stack has no services. */
export function Empty() {
  return (
    <div data-testid="empty" className="px-4 py-10 text-center">
      <p className="font-medium">Nothing runs here yet</p>
      <p className="mx-auto mt-1 max-w-lg text-muted text-xs">
        Services appear as soon as the overlay of this environment is applied:{" "}
        <code className="select-all whitespace-nowrap rounded border border-line bg-canvas px-1.5 py-0.5 font-mono text-ink">
          zr up
        </code>
      </p>
    </div>
  );
}
