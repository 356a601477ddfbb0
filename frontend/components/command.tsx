/** A command to be typed into a terminal: a click selects all of it. */
export function Command({ className, children }: { className?: string; children: string }) {
  return (
    <code
      className={`select-all rounded border border-line bg-canvas px-1.5 py-0.5 font-mono text-ink text-xs ${className ?? ""}`}
    >
      {children}
    </code>
  );
}
