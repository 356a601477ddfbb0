"use client";

import type { Problem } from "@/lib/problem";
import { useSnapshot } from "@/lib/snapshot/context";
import { advice } from "./advice";
import { Button } from "./button";
import { Command } from "./command";
import { UnhealthyIcon } from "./icons";

/** Why there is nothing to show, or nothing new, and what to do about it; in a snapshot nothing can be done. */
export function ProblemView({
  problem,
  note,
  onRetry,
  alone = false,
}: {
  problem: Problem;
  /** What is shown meanwhile, and what happens next. */
  note: string;
  onRetry: () => void;
  /** Whether it is all that the screen shows. */
  alone?: boolean;
}) {
  const Heading = alone ? "h1" : "h2";
  const { title, steps } = advice[problem.code];
  const snapshot = useSnapshot();
  return (
    <section
      role="alert"
      data-testid="problem"
      data-code={problem.code}
      className="rounded-lg border border-unhealthy/40 bg-surface p-4 sm:p-5"
    >
      <div className="flex items-start gap-3">
        <UnhealthyIcon className="mt-0.5 text-unhealthy" />
        <div className="min-w-0 flex-1">
          <Heading className="font-semibold text-unhealthy">{title}</Heading>
          <p className="mt-1 wrap-anywhere font-mono text-muted text-xs">{problem.message}</p>
          {snapshot ? (
            <p className="mt-4 text-muted text-xs">
              {problem.code === "not_in_snapshot"
                ? "It has what the screens showed when it was saved."
                : "So it was when the snapshot was saved."}
            </p>
          ) : (
            <>
              <ol className="mt-4 space-y-2">
                {steps.map(({ text, command }) => (
                  <li key={command} className="flex flex-wrap items-baseline gap-x-2 gap-y-1">
                    <span>{text}</span>
                    <Command>{command}</Command>
                  </li>
                ))}
              </ol>
              <div className="mt-4 flex flex-wrap items-center gap-3 text-muted text-xs">
                <Button onClick={onRetry} className="text-ink">
                  Try now
                </Button>
                <span>{note}</span>
              </div>
            </>
          )}
        </div>
      </div>
    </section>
  );
}
