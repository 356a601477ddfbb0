"use client";

import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect } from "react";
import { useEnvironment } from "@/components/environment";
import { HealthyIcon, UnhealthyIcon } from "@/components/icons";
import { Link } from "@/components/link";
import { type Absence, connection, isLong, useConnection } from "@/lib/connection";
import { POLL_MS } from "@/lib/freshness";
import { localText } from "@/lib/local-time";
import { type Missed, missedQuery } from "@/lib/missed";
import type { Problem, ProblemCode } from "@/lib/problem";
import { historyScreenPath, logsOfTimePath, reloadsScreenPath } from "@/lib/screens";
import { environmentsQuery } from "@/lib/stack/queries";
import { useNow } from "@/lib/use-now";
import { Banner } from "./banner";

/** With these nothing of the api has answered. */
const silent = new Set<ProblemCode>(["frontend_unreachable", "api_unreachable", "api_timeout"]);

/** Says on every screen that the api is away, and once it is back what happened meanwhile. */
export function Reconnect({ loggedIn }: { loggedIn: boolean }) {
  useWatchedAnswers();
  const now = useNow(0);
  const { away, missed } = useConnection();
  // Whoever may not see it is refused once: then the api has answered.
  const silence = away?.sources.includes("answers");
  useQuery({ ...environmentsQuery, refetchInterval: silence ? POLL_MS : false });
  const told = away && isLong(away, now) ? away : undefined;
  return (
    // It is there before it says something: only then is that read out.
    <div role="status">
      {told && (
        <Banner
          data-testid="reconnect"
          data-state="away"
          Icon={UnhealthyIcon}
          color="text-starting"
        >
          {told.sources.includes("answers")
            ? "The api has not answered since "
            : "What comes live has been away since "}
          <Clock at={told.since} />. It is tried again and again.
        </Banner>
      )}
      {!told && missed && <Back missed={missed} loggedIn={loggedIn} />}
    </div>
  );
}

/** Learns from all that is asked for whether the api answers. */
function useWatchedAnswers() {
  const client = useQueryClient();
  useEffect(
    () =>
      client.getQueryCache().subscribe((event) => {
        if (event.type !== "updated" || event.query.meta?.saysNothingOfApi) {
          return;
        }
        const { action } = event;
        if (action.type === "success" && !action.manual) {
          connection.found("answers");
        } else if (action.type === "error") {
          const { code } = action.error as unknown as Problem;
          connection[silent.has(code) ? "lost" : "found"]("answers");
        }
      }),
    [client],
  );
}

function Back({ missed, loggedIn }: { missed: Absence; loggedIn: boolean }) {
  const environment = useEnvironment();
  const { data, error } = useQuery(missedQuery(environment, missed, loggedIn));
  return (
    <Banner
      data-testid="reconnect"
      data-state="back"
      Icon={HealthyIcon}
      color="text-healthy"
      onDismiss={() => connection.dismiss()}
    >
      The connection is back. It was away from <Clock at={missed.from} /> to{" "}
      <Clock at={missed.to} />. {data && <Meanwhile absence={missed} missed={data} />}
      {!data && !error && "Reading what happened meanwhile…"}
    </Banner>
  );
}

function Meanwhile({ absence, missed }: { absence: Absence; missed: Missed }) {
  const { changes, reloads, more, during } = missed;
  const parts = [
    {
      n: changes,
      one: "change of a service",
      many: "changes of services",
      href: historyScreenPath({}),
    },
    { n: reloads, one: "reload", many: "reloads", href: reloadsScreenPath({}) },
    {
      n: absence.skipped,
      one: "line skipped",
      many: "lines skipped",
      href: logsOfTimePath(during),
    },
  ].filter(({ n }) => n > 0);
  if (parts.length === 0) {
    // What has happened may be recorded a moment later: none found is no proof of none.
    return (
      <>
        What happened meanwhile is in the{" "}
        <Link href={historyScreenPath({})} className="text-accent underline underline-offset-4">
          history
        </Link>
        .
      </>
    );
  }
  return (
    <>
      Meanwhile{more && " at least"}:{" "}
      {parts.map(({ n, one, many, href }, i) => (
        <span key={one}>
          {i > 0 && ", "}
          <Link href={href} className="text-accent underline underline-offset-4">
            {n} {n === 1 ? one : many}
          </Link>
        </span>
      ))}
      .
    </>
  );
}

function Clock({ at }: { at: number }) {
  const iso = new Date(at).toISOString();
  return <time dateTime={iso}>{localText(iso, "time")}</time>;
}
