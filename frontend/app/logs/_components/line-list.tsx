"use client";

import { useVirtualizer } from "@tanstack/react-virtual";
import { useCallback, useEffect, useLayoutEffect, useRef, useState } from "react";
import { useNow } from "@/lib/use-now";
import type { Feed, LogFeed } from "../feed";
import type { LogState } from "../search-params";
import { LineRow } from "./line-row";

/** The height of a row of one line of text, in pixels; every other is measured. */
const ROW = 22;

/** How far from an end counts as there, in pixels. */
const NEAR = 8;

/** How many lines before an end the next page is read, so that it is there in time, in pixels. */
const AHEAD = 2_000 * ROW;

/** What the list does as it is scrolled. */
type Pages = Pick<LogFeed, "loadOlder" | "loadNewer" | "pause" | "resume">;

/** The lines, of which only those that can be seen are in the page. It stays at the end while lines are followed. */
export function LineList({
  feed,
  now,
  state,
  onChange,
  renderedAt,
}: {
  feed: Pages;
  now: Feed;
  state: LogState;
  onChange: (rest: Partial<LogState>) => void;
  renderedAt: number;
}) {
  const { lines, paused, older } = now;
  const box = useRef<HTMLElement>(null);
  const [opened, setOpened] = useState<ReadonlySet<string>>(new Set());
  const clock = useNow(renderedAt);
  const rows = useVirtualizer({
    count: lines.length,
    getScrollElement: () => box.current,
    estimateSize: () => ROW,
    getItemKey: useCallback((i: number) => lines[i]?.id ?? i, [lines]),
    overscan: 10,
    // Who reads stays at the lines that are seen, when others come before them or go there.
    // Who follows is at the end: to look for his place would cost a pass over all lines for each frame.
    anchorTo: paused ? "end" : "start",
  });
  const onScroll = useEnds({ feed, now, box, height: rows.getTotalSize() });
  useLineOfLink(state.line, lines, (i) => rows.scrollToIndex(i, { align: "center" }));
  const toggle = useCallback((id: string) => {
    setOpened((all) => {
      const next = new Set(all);
      if (!next.delete(id)) {
        next.add(id);
      }
      return next;
    });
  }, []);
  return (
    <section
      ref={box}
      aria-label="Lines"
      data-testid="lines"
      // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard
      tabIndex={0}
      onScroll={onScroll}
      className="h-[max(20rem,calc(100dvh-24rem))] overflow-auto rounded-lg border border-line bg-surface py-1 font-mono text-xs [overflow-anchor:none]"
    >
      <p className="px-3 pb-1 font-sans text-muted">
        {older === "reading" && "Reading older lines…"}
        {older === "none" && "There is nothing older."}
        {older === "more" && (
          <button
            type="button"
            className="cursor-pointer text-accent"
            onClick={() => void feed.loadOlder()}
          >
            Read older lines
          </button>
        )}
      </p>
      <ul className="relative" style={{ height: rows.getTotalSize() }}>
        {rows.getVirtualItems().map(({ key, index, start }) => {
          const line = lines[index];
          return (
            line && (
              <li
                key={key}
                ref={rows.measureElement}
                data-index={index}
                className="absolute top-0 left-0 w-full min-w-max data-[wrap=true]:min-w-0"
                data-wrap={state.wrap}
                style={{ transform: `translateY(${start}px)` }}
              >
                <LineRow
                  line={line}
                  state={state}
                  opened={opened.has(line.id)}
                  linked={state.line === line.id}
                  now={state.clock === "relative" ? clock : 0}
                  onToggle={toggle}
                  onChange={onChange}
                />
              </li>
            )
          );
        })}
      </ul>
    </section>
  );
}

/**
 * Keeps the list at its end while it follows. Who scrolls up holds it still,
 * who gets back to the end goes on, and at the beginning older lines are read.
 */
function useEnds({
  feed,
  now: { paused, lines, older, newer },
  box,
  height,
}: {
  feed: Pages;
  now: Feed;
  box: React.RefObject<HTMLElement | null>;
  height: number;
}) {
  const lastTop = useRef(0);
  /** Whether it was held still by scrolling: then the end is where it goes on. */
  const byScroll = useRef(false);
  const count = lines.length;
  // biome-ignore lint/correctness/useExhaustiveDependencies: each line and each measured height moves the end
  useLayoutEffect(() => {
    if (!paused && box.current) {
      box.current.scrollTop = box.current.scrollHeight;
      lastTop.current = box.current.scrollTop;
    }
  }, [box, paused, count, height]);
  // Again after each page, until there is enough.
  useEffect(() => {
    const element = box.current;
    if (!element || !paused) {
      return;
    }
    const { scrollTop, scrollHeight, clientHeight } = element;
    if (older === "more" && scrollTop < AHEAD) {
      void feed.loadOlder();
    }
    if (newer === "more" && scrollHeight - scrollTop - clientHeight < AHEAD) {
      void feed.loadNewer();
    }
  });
  return () => {
    const element = box.current;
    if (!element) {
      return;
    }
    const { scrollTop, scrollHeight, clientHeight } = element;
    const atEnd = scrollHeight - scrollTop - clientHeight < NEAR;
    if (!paused && !atEnd && scrollTop < lastTop.current) {
      byScroll.current = true;
      feed.pause();
    } else if (
      paused &&
      atEnd &&
      newer === "none" &&
      byScroll.current &&
      scrollTop > lastTop.current
    ) {
      byScroll.current = false;
      feed.resume();
    }
    lastTop.current = scrollTop;
  };
}

/** Shows the line that a link leads to, once. */
function useLineOfLink(
  id: string | undefined,
  lines: Feed["lines"],
  show: (index: number) => void,
) {
  const shown = useRef<string>(undefined);
  useEffect(() => {
    const index = id && shown.current !== id ? lines.findIndex((line) => line.id === id) : -1;
    if (index >= 0) {
      shown.current = id;
      show(index);
    }
  });
}
