"use client";

import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { Link } from "@/components/link";
import { Pages } from "@/components/pages";
import { Panel } from "@/components/panel";
import { Unread } from "@/components/unread";
import { ago } from "@/lib/time";
import { revisionsQuery } from "../query-options";
import type { Revision, Written } from "../schema";
import { type ConfigurationPart, placeOf } from "../search-params";
import { revisionReason } from "../words";
import { RestoreDialog } from "./restore-dialog";
import { SavedNote } from "./review";
import { RevisionDetail } from "./revision-detail";
import type { NobodyReason } from "./settings-tab";

/** What the settings were: who changed them, when and why; one to look at, and two to compare. */
export function RevisionsTab({
  part,
  current,
  nobody,
  now,
}: {
  part: ConfigurationPart;
  /** The revision that is in effect; undefined where the settings are from a file. */
  current: number | undefined;
  nobody: NobodyReason;
  now: number;
}) {
  const { environment, cursor, revision } = part;
  const { data, error } = useQuery(revisionsQuery(environment, cursor));
  const [restoring, setRestoring] = useState<number>();
  const [saved, setSaved] = useState<Written>();
  const revisions = data?.revisions ?? [];
  return (
    <>
      {saved && <SavedNote written={saved} onDismiss={() => setSaved(undefined)} />}
      <div className="grid items-start gap-6 lg:grid-cols-[minmax(0,3fr)_minmax(0,4fr)]">
        <div className="min-w-0 max-lg:order-last">
          <Panel title="Revisions">
            {(!data || error) && <Unread problem={error} />}
            {data && revisions.length === 0 && (
              <p data-testid="no-revisions" className="px-4 py-3 text-muted text-xs">
                Nothing was changed here yet. The first change keeps what was there before it, too.
              </p>
            )}
            {revisions.length > 0 && (
              <ol data-testid="revisions" className="divide-y divide-line">
                {revisions.map((each) => (
                  <RevisionItem
                    key={each.revision}
                    revision={each}
                    part={part}
                    inEffect={each.revision === current}
                    now={now}
                  />
                ))}
              </ol>
            )}
          </Panel>
          <Pages
            newest={cursor && placeOf({ tab: "revisions" })}
            older={data?.next && placeOf({ tab: "revisions", cursor: data.next })}
          />
        </div>
        {revision ? (
          <RevisionDetail
            // Nothing of one comparison is kept for the next.
            key={`${revision} ${part.against}`}
            part={part}
            revision={revision}
            others={revisions}
            inEffect={revision === current}
            nobody={nobody}
            now={now}
            onRestore={setRestoring}
          />
        ) : (
          revisions.length > 0 && (
            <p className="mt-7 text-muted text-xs max-lg:hidden">
              Choose a revision to see it, to compare it with another, or to go back to it.
            </p>
          )
        )}
      </div>
      {restoring && (
        <RestoreDialog
          revision={restoring}
          onClose={() => setRestoring(undefined)}
          onDone={(written) => {
            setRestoring(undefined);
            setSaved(written);
          }}
        />
      )}
    </>
  );
}

function RevisionItem({
  revision,
  part,
  inEffect,
  now,
}: {
  revision: Revision;
  part: ConfigurationPart;
  inEffect: boolean;
  now: number;
}) {
  const { revision: number, at, author, outcome } = revision;
  const isOpen = part.revision === number;
  return (
    <li className={isOpen ? "bg-canvas" : ""}>
      <Link
        href={placeOf({ tab: "revisions", revision: number, cursor: part.cursor })}
        aria-current={isOpen ? "true" : undefined}
        className="-outline-offset-2! flex gap-3 px-4 py-2 hover:bg-canvas"
      >
        <span className="w-7 shrink-0 font-medium">{number}</span>
        <span className="min-w-0 flex-1">
          <span className="wrap-anywhere block">{revisionReason(revision)}</span>
          <span className="flex flex-wrap gap-x-2 text-muted text-xs">
            <span>{author}</span>
            <time dateTime={at} title={at}>
              {ago(now - Date.parse(at))}
            </time>
            {inEffect && <span className="font-medium text-healthy">in effect</span>}
            {outcome === "begun" && (
              <span className="text-starting">not known to have been in effect</span>
            )}
          </span>
        </span>
      </Link>
    </li>
  );
}
