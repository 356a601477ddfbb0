"use client";

import type { ComponentType } from "react";
import { HealthyIcon, RemovedIcon, UnhealthyIcon } from "@/components/icons";
import { Link } from "@/components/link";
import { Panel } from "@/components/panel";
import { useSnapshot } from "@/lib/snapshot/context";
import { ago } from "@/lib/time";
import type { AuditRecord, RecordOutcome } from "../schema";
import { type Filter, isFilter, placeOf } from "../search-params";

const look: Record<RecordOutcome, { color: string; Icon: ComponentType<{ className?: string }> }> =
  {
    done: { color: "text-healthy", Icon: HealthyIcon },
    refused: { color: "text-starting", Icon: RemovedIcon },
    failed: { color: "text-unhealthy", Icon: UnhealthyIcon },
  };

/** What a record says, to be filtered by. */
const PART = "wrap-anywhere underline-offset-4 hover:underline";

/** Records of the audit log, newest first. */
export function Records({
  records,
  filter,
  now,
}: {
  records: AuditRecord[];
  /** By which they were found: another one is added by a press on what a record says. */
  filter: Filter;
  now: number;
}) {
  return (
    <Panel title="Audit log">
      {records.length === 0 ? (
        <p className="px-4 py-3 text-muted text-xs">
          Nothing is recorded here. Whoever logs in, changes something or is refused is listed.
        </p>
      ) : (
        <ol data-testid="records" className="divide-y divide-line">
          {records.map((record) => (
            <RecordItem key={record.id} record={record} filter={filter} now={now} />
          ))}
        </ol>
      )}
    </Panel>
  );
}

function RecordItem({ record, filter, now }: { record: AuditRecord; filter: Filter; now: number }) {
  const { actor, action, target, outcome, detail, at } = record;
  const { color, Icon } = look[outcome];
  return (
    <li data-outcome={outcome} className="flex gap-2.5 px-4 py-2">
      <Icon className={`mt-0.5 ${color}`} />
      <div className="min-w-0 flex-1">
        <p className="flex flex-wrap items-baseline gap-x-2">
          <Part name="actor" filter={{ ...filter, actor }} className="font-medium">
            {actor}
          </Part>
          <Part name="action" filter={{ ...filter, action }}>
            {actionText(action)}
          </Part>
          <Part name="target" filter={{ ...filter, target }} className="font-mono text-xs">
            {target}
          </Part>
          <span className={`text-xs ${color}`}>{outcome}</span>
          <time dateTime={at} title={at} className="ml-auto shrink-0 text-muted text-xs">
            {ago(now - Date.parse(at))}
          </time>
        </p>
        {detail && <p className="wrap-anywhere text-muted text-xs">{detail}</p>}
      </div>
    </li>
  );
}

/** What a record says, and a way to the others that say the same, where they can be asked for. */
function Part({
  name,
  filter,
  className = "",
  children,
}: {
  name: "actor" | "action" | "target";
  filter: Filter;
  className?: string;
  children: string;
}) {
  const snapshot = useSnapshot();
  return !snapshot && isFilter(name, filter[name] ?? "") ? (
    <Link href={placeOf(filter)} className={`${PART} ${className}`}>
      {children}
    </Link>
  ) : (
    <span className={`wrap-anywhere ${className}`}>{children}</span>
  );
}

/** A route's id as words, "stopService" → "stop service"; a method as it is. */
export function actionText(action: string): string {
  return action.replaceAll(/(?<=[a-z])[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
}
