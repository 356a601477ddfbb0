import { Link } from "@/components/link";
import { Panel } from "@/components/panel";
import { stateLook } from "@/components/state";
import type { Problem } from "@/lib/problem";
import { changeText } from "@/lib/stack/change-text";
import type { Change } from "@/lib/stack/schema";
import { ago } from "@/lib/time";

/** Changes of services, newest first. */
export function ChangePanel({
  title,
  more,
  changes,
  problem,
  now,
}: {
  title: string;
  /** The screen that shows more of them. */
  more?: string;
  changes: Change[] | undefined;
  /** Why changes are missing or old. */
  problem: Problem | undefined;
  now: number;
}) {
  return (
    <Panel
      title={title}
      note={
        more && (
          <Link href={more} className="text-accent underline-offset-4 hover:underline">
            All changes
          </Link>
        )
      }
    >
      {problem && <HistoryProblem problem={problem} />}
      {changes === undefined && !problem && <Note>Reading…</Note>}
      {changes?.length === 0 && (
        <Note>
          Nothing has changed yet. A service that starts, fails or gets a new build is listed here.
        </Note>
      )}
      {changes && changes.length > 0 && (
        <ol data-testid="history" className="divide-y divide-line">
          {changes.map((change) => (
            <ChangeItem key={change.id} change={change} now={now} />
          ))}
        </ol>
      )}
    </Panel>
  );
}

function ChangeItem({ change, now }: { change: Change; now: number }) {
  const { Icon, color } = stateLook[change.state];
  return (
    <li className="flex gap-2.5 px-4 py-2">
      <Icon className={`mt-0.5 animate-none! ${color}`} />
      <div className="min-w-0 flex-1">
        <p className="flex flex-wrap items-baseline gap-x-2">
          <span className="wrap-anywhere font-medium">{change.service}</span>
          <span className="text-muted text-xs">{changeText(change)}</span>
          <time
            dateTime={change.at}
            title={change.at}
            className="ml-auto shrink-0 text-muted text-xs"
          >
            {ago(now - Date.parse(change.at))}
          </time>
        </p>
        {change.message && (
          <p className="wrap-anywhere line-clamp-2 text-muted text-xs" title={change.message}>
            {change.message}
          </p>
        )}
      </div>
    </li>
  );
}

function HistoryProblem({ problem }: { problem: Problem }) {
  return (
    <p
      data-testid="history-problem"
      data-code={problem.code}
      className="px-4 py-3 text-xs not-last:border-b border-line"
    >
      <strong className="block font-semibold text-unhealthy">The history cannot be read</strong>
      <span className="wrap-anywhere text-muted">{problem.message}</span>
    </p>
  );
}

function Note({ children }: { children: string }) {
  return <p className="px-4 py-3 text-muted text-xs">{children}</p>;
}
