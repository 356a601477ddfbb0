"use client";

import { type QueryKey, useQuery } from "@tanstack/react-query";
import { type KeyboardEvent, useState } from "react";
import { serverClock } from "@/lib/clock";
import { fetchJSON } from "@/lib/fetch-json";
import type { Problem } from "@/lib/problem";
import { type Bar, type BarRange, barsOf, rangeOf } from "../bars";
import { type Counts, countsSchema } from "../schema";
import { countsPath, type LogState } from "../search-params";

/** Counts are kept for each minute: to ask more often shows little. */
const POLL_MS = 10_000;

/** Lines and errors over time. A bar, or several that are dragged over, is zoomed into. */
export function Histogram({
  state,
  onZoom,
}: {
  state: LogState;
  onZoom: (rest: Partial<LogState>) => void;
}) {
  const key: QueryKey = [
    "log-counts",
    state.environment,
    state.services,
    state.level,
    state.from,
    state.to,
  ];
  const { data } = useQuery<{ counts: Counts; asked: BarRange } | null, Problem>({
    queryKey: key,
    queryFn: async ({ signal }) => {
      const asked = rangeOf(state, serverClock.now());
      if (!asked) {
        return null;
      }
      const path = countsPath(
        state,
        new Date(asked.from).toISOString(),
        new Date(asked.to).toISOString(),
        asked.everySeconds,
      );
      return { asked, counts: await fetchJSON(path, countsSchema, signal) };
    },
    // Who may not see lines is told so once, by them.
    refetchInterval: ({ state: now }) => (now.error?.code === "not_logged_in" ? false : POLL_MS),
    retry: false,
  });
  if (!data) {
    return <div className="mb-3 h-16" />;
  }
  return <Bars bars={barsOf(data.counts, data.asked, state.clock)} onZoom={onZoom} />;
}

/** Lines and errors over time, as they were counted. */
export function Bars({ bars, onZoom }: { bars: Bar[]; onZoom: (rest: Partial<LogState>) => void }) {
  /** The bar where the range begins, and the one with the focus, where it ends. */
  const [begin, setBegin] = useState<number>();
  const [at, setAt] = useState(bars.length - 1);
  const most = Math.max(1, ...bars.map(({ lines }) => lines));
  const chosen = (i: number) =>
    begin !== undefined && i >= Math.min(begin, at) && i <= Math.max(begin, at);

  function zoom(from: number, to: number) {
    const first = bars[Math.min(from, to)];
    const last = bars[Math.max(from, to)];
    setBegin(undefined);
    if (first && last) {
      onZoom({ from: new Date(first.from).toISOString(), to: new Date(last.to).toISOString() });
    }
  }

  function onKeyDown(event: KeyboardEvent<HTMLElement>) {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (step) {
      event.preventDefault();
      const next = Math.min(Math.max(at + step, 0), bars.length - 1);
      setBegin(event.shiftKey ? (begin ?? at) : undefined);
      setAt(next);
      event.currentTarget.querySelectorAll("button")[next]?.focus();
    }
  }

  return (
    <fieldset
      data-testid="histogram"
      className="mb-3 flex h-16 items-stretch gap-px rounded-lg border border-line bg-surface p-1.5"
      onKeyDown={onKeyDown}
      onPointerLeave={() => setBegin(undefined)}
    >
      <legend className="sr-only">
        Lines over time, of the chosen services and level. Arrows choose, with Shift several, Enter
        zooms.
      </legend>
      {bars.map((bar, i) => (
        <button
          key={bar.from}
          type="button"
          tabIndex={i === Math.min(at, bars.length - 1) ? 0 : -1}
          aria-label={bar.label}
          title={bar.label}
          onFocus={() => setAt(i)}
          onPointerDown={() => setBegin(i)}
          onPointerEnter={({ buttons }) => buttons === 1 && begin !== undefined && setAt(i)}
          onClick={() => zoom(begin ?? i, i)}
          onPointerUp={() => begin !== undefined && begin !== i && zoom(begin, i)}
          className={`flex min-w-0 flex-1 cursor-pointer flex-col justify-end rounded-xs hover:bg-line ${chosen(i) ? "bg-line" : ""}`}
        >
          <Part share={(bar.lines - bar.errors - bar.warnings) / most} className="bg-muted/60" />
          <Part share={bar.warnings / most} className="bg-starting" />
          <Part share={bar.errors / most} className="bg-unhealthy" />
          {bar.skipped > 0 && <span className="h-0.5 bg-accent" />}
        </button>
      ))}
    </fieldset>
  );
}

function Part({ share, className }: { share: number; className: string }) {
  return share > 0 ? (
    <span className={`min-h-px ${className}`} style={{ height: `${share * 100}%` }} />
  ) : null;
}
