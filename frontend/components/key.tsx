import type { ReactNode } from "react";

/** The name of a key, as it is printed on it. */
export function Key({ className, children }: { className?: string; children: ReactNode }) {
  return (
    <kbd
      className={`rounded border border-line bg-canvas px-1 font-sans text-muted text-xs ${className ?? ""}`}
    >
      {children}
    </kbd>
  );
}
