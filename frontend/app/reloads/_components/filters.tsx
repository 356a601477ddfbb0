"use client";

import { useGo } from "@/components/environment";
import { Link } from "@/components/link";
import type { FeedStatus } from "@/lib/dev/feed";
import { reloadsScreenPath } from "@/lib/screens";
import { useSnapshot } from "@/lib/snapshot/context";
import { windows } from "@/lib/stack/uptime";
import { windowText } from "@/lib/stack/uptime-text";
import { useChosen } from "@/lib/use-chosen";
import type { ReloadsPart } from "../part";
import { EditorChoice } from "./editor-choice";

const look: Record<FeedStatus, { label: string; dot: string }> = {
  connecting: { label: "Connecting", dot: "bg-pending" },
  live: { label: "Live", dot: "bg-healthy" },
  away: { label: "Interrupted, trying again", dot: "bg-starting" },
  refused: { label: "Not logged in", dot: "bg-pending" },
};

const select = "h-7 max-w-56 rounded-md border border-line bg-surface px-2 text-ink";

/** The head of the screen: whether it follows, and which saves it is about. */
export function Filters({
  part,
  feed,
  names,
}: {
  part: ReloadsPart;
  feed: FeedStatus;
  /** The services that are listed. */
  names: string[];
}) {
  const go = useGo();
  const window = part.window === "24h" ? undefined : part.window;
  const [{ service, failed }, choose] = useChosen(
    { service: part.service, failed: part.failed },
    (chosen) => go(reloadsScreenPath({ ...chosen, window })),
  );
  const all = service && !names.includes(service) ? [service, ...names] : names;
  const { label, dot } = look[feed];
  const snapshot = useSnapshot();
  return (
    <div className="mb-6 flex flex-wrap items-center justify-between gap-3">
      <div className="flex items-baseline gap-3">
        <h1 className="font-semibold text-xl tracking-tight">Reloads</h1>
        {!snapshot && (
          <p data-testid="feed" data-status={feed} className="flex items-center gap-2 text-xs">
            <span aria-hidden="true" className={`size-2 rounded-full ${dot}`} />
            {label}
          </p>
        )}
      </div>
      <div className="flex flex-wrap items-center gap-3 text-muted text-xs">
        {!snapshot && (
          <>
            <EditorChoice />
            <label className="flex items-center gap-2">
              Service
              <select
                value={service ?? ""}
                onChange={(event) => choose({ service: event.target.value, failed })}
                className={select}
              >
                <option value="">All services</option>
                {all.map((name) => (
                  <option key={name}>{name}</option>
                ))}
              </select>
            </label>
            <label className="flex items-center gap-2">
              Saves
              <select
                value={failed ? "failed" : ""}
                onChange={(event) => choose({ service, failed: event.target.value !== "" })}
                className={select}
              >
                <option value="">All</option>
                <option value="failed">Failed</option>
              </select>
            </label>
          </>
        )}
        <nav
          aria-label="How far back the metrics reach"
          className="flex overflow-hidden rounded-md border border-line bg-surface"
        >
          {windows.map((each) => (
            <Link
              key={each}
              href={reloadsScreenPath({ service, failed, window: each })}
              aria-current={each === part.window ? "page" : undefined}
              className={`px-2.5 py-1 ${each === part.window ? "bg-canvas font-medium text-ink" : "hover:text-ink"}`}
            >
              {windowText[each]}
            </Link>
          ))}
        </nav>
      </div>
    </div>
  );
}
