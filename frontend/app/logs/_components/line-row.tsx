"use client";

import { memo } from "react";
import { inert } from "@/lib/inert";
import { skippedText, timeText } from "../line-text";
import type { Level, Line } from "../schema";
import type { LogState } from "../search-params";
import { segments } from "../styled";
import { toneOf } from "../tone";
import { LineDetail } from "./line-detail";

/** How much of a message is shown before somebody opens the line, in characters. */
const SHOWN = 2_000;

/** How many fields stand behind a message. */
const FIELDS_SHOWN = 6;
const FIELD_SHOWN = 80;

const levelColor: Record<Level, string> = {
  debug: "text-muted",
  info: "text-muted",
  warning: "text-starting",
  error: "text-unhealthy",
};

/** One line: its time, which opens it, its service, its level, its message and its first fields. */
export const LineRow = memo(function LineRow({
  line,
  state,
  opened,
  linked,
  now,
  onToggle,
  onChange,
}: {
  line: Line;
  state: LogState;
  opened: boolean;
  /** Whether a link leads to it. */
  linked: boolean;
  /** For times that are relative, in milliseconds since the epoch. */
  now: number;
  onToggle: (id: string) => void;
  onChange: (rest: Partial<LogState>) => void;
}) {
  if (line.skipped) {
    return (
      <p
        data-testid="skipped"
        className="border-starting border-l-2 bg-canvas px-3 py-0.5 font-sans text-starting"
      >
        {line.service && `${line.service}: `}
        {skippedText(line.skipped)}
      </p>
    );
  }
  const { level, time, service, id } = line;
  const text = state.wrap ? "wrap-anywhere min-w-0 whitespace-pre-wrap" : "whitespace-pre";
  return (
    <div
      data-testid="line"
      data-linked={linked}
      className={`border-l-2 hover:bg-canvas ${level === "error" ? "border-unhealthy" : level === "warning" ? "border-starting" : "border-transparent"} ${linked ? "bg-line" : ""}`}
    >
      <div className="flex items-baseline gap-2 px-2 py-0.5">
        <button
          type="button"
          aria-expanded={opened}
          title={time}
          onClick={() => onToggle(id)}
          className="shrink-0 cursor-pointer text-muted hover:text-ink"
        >
          {timeText(time, state.clock, now)}
        </button>
        <span className={`w-24 shrink-0 truncate max-sm:w-14 ${toneOf(service)}`} title={service}>
          {service}
        </span>
        <span className={`w-14 shrink-0 max-sm:hidden ${level ? levelColor[level] : ""}`}>
          {level}
        </span>
        <bdi className={`flex-1 text-left ${text}`}>
          <Message line={line} whole={opened} />
          {!opened && <FirstFields fields={line.fields} />}
        </bdi>
      </div>
      {opened && <LineDetail line={line} state={state} onChange={onChange} />}
    </div>
  );
});

/** What was written, in its colours; nothing in it does anything. */
function Message({ line: { message, styles }, whole }: { line: Line; whole: boolean }) {
  const shown = whole ? message : message.slice(0, SHOWN);
  const cut = message.length - shown.length;
  return (
    <>
      {styles && styles.length > 0
        ? segments(shown, styles).map(({ text, className }, i) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: the parts of a line never change
            <span key={i} className={className}>
              {inert(text)}
            </span>
          ))
        : inert(shown)}
      {cut > 0 && <span className="text-muted"> … {cut.toLocaleString("en")} more characters</span>}
    </>
  );
}

function FirstFields({ fields }: { fields: Line["fields"] }) {
  const all = Object.entries(fields ?? {});
  if (all.length === 0) {
    return null;
  }
  return (
    <span className="text-muted">
      {all.slice(0, FIELDS_SHOWN).map(([key, value]) => (
        <span key={key}>
          {"  "}
          {inert(key.slice(0, FIELD_SHOWN))}={inert(value.slice(0, FIELD_SHOWN))}
        </span>
      ))}
      {all.length > FIELDS_SHOWN && `  and ${all.length - FIELDS_SHOWN} more`}
    </span>
  );
}
