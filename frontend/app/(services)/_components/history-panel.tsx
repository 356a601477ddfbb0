import { Panel } from "@/components/panel";
import type { Problem } from "@/lib/problem";
import { ago } from "@/lib/time";
import type { Change } from "../schema";
import { changeText } from "./change-text";
import { stateLook } from "./state";

/** The last changes of all services, newest first. */
export function HistoryPanel({
  changes,
  problem,
  now,
}: {
  changes: Change[] | undefined;
  problem: Problem | undefined;
  now: number;
}) {
  return (
    <Panel title="Recent changes">
      {problem && <HistoryProblem problem={problem} />}
      {changes === undefined ? (
        !problem && <Note>Reading…</Note>
      ) : changes.length === 0 ? (
        <Note>
          Nothing has changed yet. A service that starts, fails or gets a new build is listed here.
        </Note>
      ) : (
        <ol data-testid="history" className="divide-y divide-line">
          {changes.map((change) => (
            <HistoryItem key={change.id} change={change} now={now} />
          ))}
        </ol>
      )}
    </Panel>
  );
}

function HistoryItem({ change, now }: { change: Change; now: number }) {
  const { Icon, color } = stateLook[change.state];
  const why = change.message || change.reason;
  return (
    <li className="flex gap-2.5 px-4 py-2">
      <Icon className={`mt-0.5 animate-none! ${color}`} />
      <div className="min-w-0 flex-1">
        <p className="flex items-baseline gap-2">
          <span className="font-medium">{change.service}</span>
          <span className="text-muted text-xs">{changeText(change)}</span>
          <time
            dateTime={change.at}
            title={change.at}
            className="ml-auto shrink-0 text-muted text-xs"
          >
            {ago(now - Date.parse(change.at))}
          </time>
        </p>
        {why && change.state !== "healthy" && (
          <p className="mt-0.5 line-clamp-2 break-words text-muted text-xs" title={why}>
            {why}
          </p>
        )}
      </div>
    </li>
  );
}

function HistoryProblem({ problem }: { problem: Problem }) {
  return (
    <p data-testid="history-problem" className="border-line border-b px-4 py-2.5 text-xs">
      <strong className="font-medium text-unhealthy">The history cannot be read.</strong>{" "}
      <span className="break-words text-muted">{problem.message}</span>
    </p>
  );
}

function Note({ children }: { children: string }) {
  return <p className="px-4 py-3 text-muted text-xs">{children}</p>;
}
