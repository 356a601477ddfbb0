import { advice } from "@/components/advice";
import { Button } from "@/components/button";
import { UnhealthyIcon } from "@/components/icons";
import type { Fault, Problem } from "@/lib/problem";

/** Why something cannot be written, or was not, with the places of what is wrong. */
export function Refusal({
  problem,
  onGo,
  onAgain,
}: {
  problem: Problem;
  /** Goes to a place of the text. */
  onGo?: (fault: Fault) => void;
  onAgain?: () => void;
}) {
  const { title, steps } = advice[problem.code];
  return (
    <div role="alert" data-testid="refusal" data-code={problem.code} className="px-4 py-3 text-xs">
      <p className="flex gap-2 font-semibold">
        <UnhealthyIcon className="text-unhealthy" />
        {title}
      </p>
      <div className="mt-1 space-y-1.5 pl-6">
        <p className="wrap-anywhere text-muted">{problem.message}</p>
        {problem.faults && (
          <ul className="space-y-1">
            {problem.faults.map((fault) => (
              <li key={`${fault.line}:${fault.column} ${fault.message}`} className="wrap-anywhere">
                <Place fault={fault} onGo={onGo} />
                {fault.message}
              </li>
            ))}
          </ul>
        )}
        {steps.slice(0, 1).map(({ text, command }) => (
          <p key={command}>
            {text} <code className="select-all font-mono">{command}</code>
          </p>
        ))}
        {onAgain && <Button onClick={onAgain}>Try again</Button>}
      </div>
    </div>
  );
}

function Place({ fault, onGo }: { fault: Fault; onGo?: (fault: Fault) => void }) {
  if (!fault.line) {
    return null;
  }
  const place = `Line ${fault.line}${fault.column ? `, column ${fault.column}` : ""}`;
  return onGo ? (
    <>
      <button
        type="button"
        onClick={() => onGo(fault)}
        className="cursor-pointer text-accent underline underline-offset-4"
      >
        {place}
      </button>
      {": "}
    </>
  ) : (
    <span className="font-medium">{place}: </span>
  );
}
