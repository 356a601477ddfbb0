"use client";

import { advice } from "@/components/advice";
import type { Problem } from "@/lib/problem";
import { useSnapshot } from "@/lib/snapshot/context";

/** Stands in a panel whose content is on its way, or cannot be read. */
export function Unread({ problem }: { problem: Problem | null }) {
  const snapshot = useSnapshot();
  if (!problem) {
    return <p className="px-4 py-3 text-muted text-xs">Reading…</p>;
  }
  const { title, steps } = advice[problem.code];
  return (
    <p data-testid="unread" data-code={problem.code} className="px-4 py-3 text-xs">
      <strong className="block font-semibold">{title}</strong>
      <span className="wrap-anywhere block text-muted">{problem.message}</span>
      {(snapshot ? [] : steps.slice(0, 1)).map(({ text, command }) => (
        <span key={command} className="mt-1 block">
          {text} <code className="select-all font-mono">{command}</code>
        </span>
      ))}
    </p>
  );
}
