"use client";

import { useQuery } from "@tanstack/react-query";
import { Button } from "@/components/button";
import { useGo } from "@/components/environment";
import { Panel } from "@/components/panel";
import { Unread } from "@/components/unread";
import { ago } from "@/lib/time";
import { revisionQuery } from "../query-options";
import type { Revision } from "../schema";
import { type ConfigurationPart, placeOf } from "../search-params";
import { revisionReason } from "../words";
import { Changes } from "./changes";
import { Nobody } from "./nobody";
import type { NobodyReason } from "./settings-tab";

/** One revision: what it has, and what differs from another one or from what is in effect. */
export function RevisionDetail({
  part: { environment, against, cursor },
  revision,
  others,
  inEffect,
  nobody,
  now,
  onRestore,
}: {
  part: ConfigurationPart;
  revision: number;
  /** Those that it can be compared with. */
  others: Revision[];
  inEffect: boolean;
  nobody: NobodyReason;
  now: number;
  onRestore: (revision: number) => void;
}) {
  const go = useGo();
  const { data, error } = useQuery(revisionQuery(environment, revision, against));
  const numbers = others.map((each) => each.revision).filter((each) => each !== revision);
  const listed = against && !numbers.includes(against) ? [against, ...numbers] : numbers;
  return (
    <div data-testid="revision" className="grid min-w-0 gap-6">
      <Panel title={`Revision ${revision}`}>
        {!data && <Unread problem={error} />}
        {data && (
          <div className="space-y-3 px-4 py-3">
            <p className="wrap-anywhere font-medium">{revisionReason(data)}</p>
            <p className="flex flex-wrap gap-x-2 text-muted text-xs">
              <span>{data.author}</span>
              <time dateTime={data.at} title={data.at}>
                {ago(now - Date.parse(data.at))}
              </time>
              {data.file && <span>written into {data.file}</span>}
              {inEffect && <span className="font-medium text-healthy">in effect</span>}
            </p>
            {nobody && <Nobody {...nobody} />}
            <Button
              disabled={nobody !== undefined || inEffect}
              onClick={() => onRestore(revision)}
              className="disabled:cursor-default disabled:text-muted"
            >
              Go back to it
            </Button>
          </div>
        )}
      </Panel>
      {data && (
        <Panel
          title="What differs"
          note={
            <label className="flex items-center gap-2">
              from
              <select
                value={against ?? ""}
                onChange={(event) =>
                  go(
                    placeOf({
                      tab: "revisions",
                      revision,
                      against: Number(event.target.value) || undefined,
                      cursor,
                    }),
                  )
                }
                className="h-6 rounded-md border border-line bg-surface px-1.5 text-ink"
              >
                <option value="">what is in effect</option>
                {listed.map((each) => (
                  <option key={each} value={each}>
                    revision {each}
                  </option>
                ))}
              </select>
            </label>
          }
        >
          {data.changes.length === 0 ? (
            <p className="px-4 py-3 text-muted text-xs">Nothing: both say the same.</p>
          ) : (
            <Changes
              changes={data.changes}
              labels={[against ? `revision ${against}` : "in effect", `revision ${revision}`]}
            />
          )}
        </Panel>
      )}
      {data && (
        <Panel title="All settings of it">
          <pre
            data-testid="revision-text"
            className="wrap-anywhere whitespace-pre-wrap px-4 py-3 font-mono text-xs"
          >
            {data.text || "none"}
          </pre>
        </Panel>
      )}
    </div>
  );
}
