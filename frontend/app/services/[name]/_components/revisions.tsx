"use client";

import { useQuery } from "@tanstack/react-query";
import { useActions } from "@/components/actions/actions";
import { Button } from "@/components/button";
import { useEnvironment } from "@/components/environment";
import { Panel } from "@/components/panel";
import { Unread } from "@/components/unread";
import type { Problem } from "@/lib/problem";
import { shortImage } from "@/lib/stack/image-name";
import type { Service } from "@/lib/stack/schema";
import { ago } from "@/lib/time";
import { type Revision, revisionsQuery } from "../queries";

const notLoggedIn: Problem = {
  code: "not_logged_in",
  message: "Revisions are shown to viewers and operators.",
};

/** Whether the cluster keeps what a service was before. */
export function hasRevisions({ kind }: Service): boolean {
  return kind === "Deployment" || kind === "StatefulSet";
}

/** What a service ran before, each to be gone back to. */
export function Revisions({
  service,
  loggedIn,
  now,
}: {
  service: string;
  /** Whether it is worth while to ask: to be refused is a fault in the console of the browser. */
  loggedIn: boolean;
  now: number;
}) {
  const query = revisionsQuery(service, useEnvironment());
  const { data, error } = useQuery({ ...query, enabled: loggedIn });
  return (
    <Panel title="Revisions">
      {!data && <Unread problem={loggedIn ? error : notLoggedIn} />}
      {data?.revisions.length === 0 && (
        <p className="px-4 py-3 text-muted text-xs">The cluster keeps none.</p>
      )}
      {data && data.revisions.length > 0 && (
        <ol data-testid="revisions" className="divide-y divide-line">
          {data.revisions.map((revision) => (
            <RevisionItem key={revision.revision} service={service} revision={revision} now={now} />
          ))}
        </ol>
      )}
    </Panel>
  );
}

function RevisionItem({
  service,
  revision: { revision, current, images, createdAt, cause },
  now,
}: {
  service: string;
  revision: Revision;
  now: number;
}) {
  const ask = useActions();
  return (
    <li data-current={current} className="flex flex-wrap items-center gap-x-4 gap-y-1 px-4 py-2">
      <span className="w-8 shrink-0 font-medium">{revision}</span>
      <div className="min-w-0 flex-1 text-xs">
        <p title={images.join("\n")} className="wrap-anywhere font-mono">
          {images.map(shortImage).join(", ")}
        </p>
        <p className="text-muted">
          <time dateTime={createdAt} title={createdAt}>
            {ago(now - Date.parse(createdAt))}
          </time>
          {cause && ` · ${cause}`}
        </p>
      </div>
      {current ? (
        <span className="text-muted text-xs">Runs now</span>
      ) : (
        ask && (
          <Button
            aria-label={`Roll back to revision ${revision}`}
            onClick={() => ask({ service, action: "rollback", revision })}
          >
            Roll back
          </Button>
        )
      )}
    </li>
  );
}
