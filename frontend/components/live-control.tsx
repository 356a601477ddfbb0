"use client";

import { Button } from "@/components/button";
import { PauseIcon, PlayIcon } from "@/components/icons";
import type { Freshness } from "@/lib/freshness";
import { useSnapshot } from "@/lib/snapshot/context";
import { ago } from "@/lib/time";

const look: Record<Freshness, { label: string; dot: string }> = {
  live: { label: "Live", dot: "bg-healthy" },
  paused: { label: "Paused", dot: "bg-pending" },
  stale: { label: "Stale", dot: "bg-starting" },
  down: { label: "No data", dot: "bg-unhealthy" },
};

/** Says how old the data is, and holds it still on request; a snapshot is still. */
export function LiveControl({
  freshness,
  updatedAt,
  now,
  paused,
  onToggle,
}: {
  freshness: Freshness;
  updatedAt: number | undefined;
  now: number;
  paused: boolean;
  onToggle: () => void;
}) {
  const { label, dot } = look[freshness];
  if (useSnapshot()) {
    return null;
  }
  return (
    <div className="flex items-center gap-3 text-xs">
      <p data-testid="freshness" data-freshness={freshness} className="flex items-center gap-2">
        <span aria-hidden="true" className={`size-2 rounded-full ${dot}`} />
        <span className="font-medium">{label}</span>
        {updatedAt !== undefined && (
          <span className="text-muted">updated {ago(now - updatedAt)}</span>
        )}
      </p>
      <Button onClick={onToggle} data-testid="pause">
        {paused ? <PlayIcon className="size-3!" /> : <PauseIcon className="size-3!" />}
        {paused ? "Resume" : "Pause"}
      </Button>
    </div>
  );
}
