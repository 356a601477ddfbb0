import { shownText } from "@/lib/inert-text";
import type { KeyChange } from "../schema";

/** Settings that differ, each as it is on both sides. */
export function Changes({
  changes,
  labels: [before, after],
}: {
  changes: KeyChange[];
  /** Which of both is which. */
  labels: [string, string];
}) {
  return (
    <ul data-testid="changes" className="divide-y divide-line">
      {changes.map((change) => (
        <li key={change.key} className="px-4 py-2 text-xs">
          <p className="wrap-anywhere font-medium font-mono">{change.key}</p>
          <dl className="mt-1 grid grid-cols-[minmax(3.5rem,max-content)_minmax(0,1fr)] gap-x-3 gap-y-0.5">
            <Side label={before} value={change.old} none="not there" className="text-unhealthy" />
            <Side label={after} value={change.new} none="not there" className="text-healthy" />
          </dl>
        </li>
      ))}
    </ul>
  );
}

function Side({
  label,
  value,
  none,
  className,
}: {
  label: string;
  value: string | undefined;
  none: string;
  className: string;
}) {
  return (
    <>
      <dt className="wrap-anywhere text-muted">{label}</dt>
      <dd>
        {value === undefined ? (
          <span className="text-muted">{none}</span>
        ) : (
          <ValueText value={value} className={className} />
        )}
      </dd>
    </>
  );
}

/** A value with its lines and its blanks. */
export function ValueText({ value, className }: { value: string; className?: string }) {
  return value === "" ? (
    <span className="text-muted">empty</span>
  ) : (
    <span className={`wrap-anywhere whitespace-pre-wrap font-mono ${className ?? ""}`}>
      {shownText(value)}
    </span>
  );
}
