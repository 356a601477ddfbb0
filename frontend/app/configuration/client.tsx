"use client";

import { useQuery } from "@tanstack/react-query";
import { Link } from "@/components/link";
import { ProblemView } from "@/components/problem-view";
import { Skeleton } from "@/components/skeleton";
import { whyNobody } from "@/lib/actions/session";
import { useSession } from "@/lib/actions/use-session";
import { attachedQuery } from "@/lib/dev/queries";
import { POLL_MS } from "@/lib/freshness";
import type { Outcome } from "@/lib/problem";
import { useSnapshot } from "@/lib/snapshot/context";
import { useNow } from "@/lib/use-now";
import { usePolled } from "@/lib/use-polled";
import { useTab } from "@/lib/use-tab";
import { RevisionsTab } from "./_components/revisions-tab";
import { SecretsTab } from "./_components/secrets-tab";
import { SettingsTab } from "./_components/settings-tab";
import { settingsQuery, untilThere } from "./query-options";
import type { Settings } from "./schema";
import { type ConfigurationPart, placeOf, type Tab, tabs } from "./search-params";

const label: Record<Tab, string> = {
  settings: "Settings",
  revisions: "Revisions",
  secrets: "Secrets",
};

/** The settings of an environment, what they were, and its secrets by name. */
export function ConfigurationClient({
  part,
  ...initial
}: {
  part: ConfigurationPart;
  settings: Outcome<Settings>;
  /** When the server asked, in milliseconds since the epoch. */
  renderedAt: number;
}) {
  const now = useNow(initial.renderedAt);
  const clock = { renderedAt: initial.renderedAt, now, paused: false };
  const settings = usePolled(settingsQuery(part.environment), initial.settings, clock);
  const snapshot = useSnapshot();
  const session = useSession({ refetchInterval: untilThere, enabled: !snapshot });
  const nobody = snapshot
    ? { text: "This is a snapshot, in which nothing can be changed." }
    : whyNobody(session.data, session.error);
  const attached = useQuery(attachedQuery(part.environment));
  useTab("Configuration · zr", "unknown");
  const { data, problem, freshness } = settings;
  const loggedOut = problem?.code === "not_logged_in";
  return (
    <>
      <Head tab={part.tab} />
      {problem && (loggedOut || part.tab === "settings") && (!data || freshness === "stale") && (
        <div className="mb-6">
          <ProblemView
            problem={problem}
            note={
              loggedOut
                ? "What you have written stays in this tab."
                : `This page asks again every ${POLL_MS / 1000} s.`
            }
            onRetry={() => {
              settings.ask();
              void session.refetch();
            }}
          />
        </div>
      )}
      {!data && !problem && <Skeleton />}
      {part.tab === "settings" && data && (
        <SettingsTab
          part={part}
          settings={data}
          nobody={nobody}
          attached={
            attached.data?.attached.some(({ actions }) => actions.includes("configure")) ?? false
          }
        />
      )}
      {part.tab === "revisions" && (data || !loggedOut) && (
        <RevisionsTab part={part} current={data?.revision} nobody={nobody} now={now} />
      )}
      {part.tab === "secrets" && (data || !loggedOut) && (
        <SecretsTab part={part} nobody={nobody} now={now} />
      )}
    </>
  );
}

function Head({ tab }: { tab: Tab }) {
  return (
    <div className="mb-6 flex flex-wrap items-center justify-between gap-3">
      <h1 className="font-semibold text-xl tracking-tight">Configuration</h1>
      <nav
        aria-label="Parts of the configuration"
        className="flex overflow-hidden rounded-md border border-line bg-surface text-xs"
      >
        {tabs.map((each) => (
          <Link
            key={each}
            href={placeOf({ tab: each })}
            aria-current={each === tab ? "page" : undefined}
            className={`px-2.5 py-1 ${each === tab ? "bg-canvas font-medium" : "text-muted hover:text-ink"}`}
          >
            {label[each]}
          </Link>
        ))}
      </nav>
    </div>
  );
}
