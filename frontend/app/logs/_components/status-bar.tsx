"use client";

import { Button } from "@/components/button";
import { CopyButton } from "@/components/copy-button";
import type { Feed, FeedStatus, LogFeed } from "../feed";
import { asJSON, asText } from "../line-text";
import type { Line } from "../schema";
import { exportPath, type LogState } from "../search-params";

const look: Record<FeedStatus, { label: string; dot: string }> = {
  loading: { label: "Connecting", dot: "bg-pending" },
  live: { label: "Live", dot: "bg-healthy" },
  away: { label: "Interrupted, trying again", dot: "bg-starting" },
  past: { label: "Not following", dot: "bg-pending" },
};

/** Whether lines come, and what can be done with those that are here. */
export function StatusBar({
  feed,
  now,
  state,
  onChange,
}: {
  feed: LogFeed;
  now: Feed;
  state: LogState;
  onChange: (rest: Partial<LogState>) => void;
}) {
  const { paused, status, lines, held, received } = now;
  const { label, dot } =
    paused && status === "live" ? { label: "Paused", dot: "bg-pending" } : look[status];
  return (
    <div className="mb-2 flex flex-wrap items-center gap-x-3 gap-y-2 text-xs">
      <p
        data-testid="feed"
        data-status={status}
        data-received={received}
        className="flex items-center gap-2"
      >
        <span aria-hidden="true" className={`size-2 rounded-full ${dot}`} />
        <span className="font-medium">{label}</span>
        <span className="text-muted">
          {lines.length.toLocaleString("en")} {lines.length === 1 ? "line" : "lines"}
        </span>
      </p>
      {status === "past" ? (
        <Button onClick={() => onChange({ to: undefined })}>Follow</Button>
      ) : (
        <Button onClick={() => (paused ? feed.resume() : feed.pause())} data-testid="hold">
          {paused ? "Follow" : "Pause"}
        </Button>
      )}
      {paused && held > 0 && (
        <Button onClick={() => feed.resume()} data-testid="held" className="text-accent">
          {held.toLocaleString("en")} new {held === 1 ? "line" : "lines"}
        </Button>
      )}
      <span className="ml-auto flex flex-wrap gap-2">
        <CopyButton label="Copy" text={() => joined(lines, asText)} />
        <CopyButton label="Copy as JSON" text={() => joined(lines, asJSON)} />
        <ExportLink href={exportPath(state, "text")}>Export text</ExportLink>
        <ExportLink href={exportPath(state, "ndjson")}>Export JSON</ExportLink>
      </span>
    </div>
  );
}

function joined(lines: readonly Line[], write: (line: Line) => string): string {
  return `${lines.map(write).join("\n")}\n`;
}

function ExportLink({ href, children }: { href: string; children: string }) {
  return (
    <a
      href={href}
      download
      className="inline-flex h-7 items-center rounded-md border border-line bg-surface px-2.5 font-medium hover:border-muted"
    >
      {children}
    </a>
  );
}
