"use client";

import { useEffect, useRef, useState } from "react";
import { Button } from "@/components/button";
import { serverClock } from "@/lib/clock";
import { useLocalText, utcText } from "@/lib/local-time";
import { useSnapshot } from "@/lib/snapshot/context";
import { levels } from "../schema";
import { clocks, type LogState } from "../search-params";
import { toneOf } from "../tone";

const MINUTE = 60_000;

/** How far back a press of a button looks, in minutes. */
const spans = [2, 15, 60];

const clockLabel = { local: "Local time", utc: "UTC", relative: "Ago" };
const field = "h-7 rounded-md border border-line bg-surface px-2 text-ink text-xs";

/** Everything that narrows the lines, and how their time is written. */
export function Filters({
  state,
  names,
  onChange,
}: {
  state: LogState;
  /** The services that there are. */
  names: string[];
  onChange: (rest: Partial<LogState>) => void;
}) {
  return (
    <div className="mb-3 grid gap-2">
      <div className="flex flex-wrap items-center gap-2">
        <Search
          // Another address has another text, whatever was being written.
          key={`${state.isRegexp} ${state.text}`}
          state={state}
          onChange={onChange}
        />
        <ServicePicker state={state} names={names} onChange={onChange} />
        <label className="flex items-center gap-1.5 text-muted text-xs">
          Level
          <select
            value={state.level ?? ""}
            onChange={(event) =>
              onChange({ level: levels.find((level) => level === event.target.value) })
            }
            className={field}
          >
            <option value="">All</option>
            {levels.map((level) => (
              <option key={level} value={level}>
                {level === "error" ? "error" : `${level} and worse`}
              </option>
            ))}
          </select>
        </label>
        <TimeRange state={state} onChange={onChange} />
        <label className="flex items-center gap-1.5 text-muted text-xs">
          Time
          <select
            value={state.clock}
            onChange={(event) =>
              onChange({ clock: clocks.find((clock) => clock === event.target.value) })
            }
            className={field}
          >
            {clocks.map((clock) => (
              <option key={clock} value={clock}>
                {clockLabel[clock]}
              </option>
            ))}
          </select>
        </label>
        <label className="flex items-center gap-1.5 text-muted text-xs">
          <input
            type="checkbox"
            checked={state.wrap}
            onChange={(event) => onChange({ wrap: event.target.checked })}
          />
          Wrap
        </label>
      </div>
      <Chosen state={state} names={names} onChange={onChange} />
    </div>
  );
}

/** Enter searches; "/" leads here. */
function Search({
  state,
  onChange,
}: {
  state: LogState;
  onChange: (rest: Partial<LogState>) => void;
}) {
  const input = useRef<HTMLInputElement>(null);
  const [text, setText] = useState(state.text);
  const [isRegexp, setIsRegexp] = useState(state.isRegexp);
  useEffect(() => {
    function onKey(event: KeyboardEvent) {
      const writes =
        event.target instanceof HTMLElement && event.target.closest("input, select, dialog");
      if (event.key === "/" && !event.ctrlKey && !event.metaKey && !writes) {
        event.preventDefault();
        input.current?.focus();
      }
    }
    document.addEventListener("keydown", onKey);
    return () => document.removeEventListener("keydown", onKey);
  }, []);
  return (
    <form
      className="flex min-w-0 flex-1 basis-64 items-center gap-2"
      onSubmit={(event) => {
        event.preventDefault();
        onChange({ text, isRegexp: isRegexp && text !== "" });
      }}
    >
      <input
        ref={input}
        type="search"
        aria-label="Text of the line"
        placeholder="Text of the line, then Enter"
        maxLength={500}
        spellCheck={false}
        value={text}
        onChange={(event) => setText(event.target.value)}
        className={`${field} min-w-0 flex-1 font-mono`}
      />
      <label className="flex items-center gap-1.5 text-muted text-xs">
        <input
          type="checkbox"
          checked={isRegexp}
          onChange={(event) => setIsRegexp(event.target.checked)}
        />
        Regular expression
      </label>
    </form>
  );
}

/** As many services as are chosen from without opening a list. */
const FEW_SERVICES = 8;

function isFew({ services }: LogState, names: string[]): boolean {
  return new Set([...names, ...services]).size <= FEW_SERVICES;
}

function ServicePicker({
  state,
  names,
  onChange,
}: {
  state: LogState;
  names: string[];
  onChange: (rest: Partial<LogState>) => void;
}) {
  const { services } = state;
  const all = [...new Set([...names, ...services])];
  const boxes = all.map((name) => (
    <label key={name} className="flex items-center gap-1.5 rounded px-1.5 py-1 hover:bg-canvas">
      <input
        type="checkbox"
        checked={services.includes(name)}
        onChange={(event) =>
          onChange({
            services: event.target.checked
              ? [...services, name]
              : services.filter((each) => each !== name),
          })
        }
      />
      <span className={`wrap-anywhere ${toneOf(name)}`}>{name}</span>
    </label>
  ));
  if (isFew(state, names)) {
    return (
      <fieldset className="flex flex-wrap items-center gap-x-1 text-xs">
        <legend className="sr-only">Only these services</legend>
        {boxes}
      </fieldset>
    );
  }
  return (
    <details className="relative text-xs">
      <summary className={`${field} flex cursor-pointer items-center font-medium`}>
        {services.length === 0 ? "All services" : `${services.length} of ${all.length} services`}
      </summary>
      <fieldset
        data-testid="services-of-lines"
        className="absolute z-10 mt-1 max-h-80 w-56 overflow-y-auto rounded-lg border border-line bg-surface p-2"
      >
        <legend className="sr-only">Services</legend>
        {boxes}
      </fieldset>
    </details>
  );
}

function TimeRange({
  state: { from, to, clock },
  onChange,
}: {
  state: LogState;
  onChange: (rest: Partial<LogState>) => void;
}) {
  const label = { from: "From", to: "To, without following" };
  const isUTC = clock === "utc";
  const written = { from: controlTime(from, isUTC), to: controlTime(to, isUTC) };
  const snapshot = useSnapshot();
  return (
    <details className="relative text-xs">
      <summary className={`${field} flex cursor-pointer items-center font-medium`}>
        {from || to ? "Part of the time" : "All times"}
      </summary>
      <fieldset
        data-testid="times-of-lines"
        className="absolute right-0 z-10 mt-1 grid w-64 gap-2 rounded-lg border border-line bg-surface p-3 sm:right-auto"
      >
        <legend className="sr-only">Time</legend>
        <div className="flex flex-wrap gap-1.5">
          {spans.map((minutes) => (
            <Button
              key={minutes}
              onClick={() =>
                onChange({
                  from: new Date(
                    (snapshot?.takenAt ?? serverClock.now()) - minutes * MINUTE,
                  ).toISOString(),
                  to: undefined,
                })
              }
            >
              {minutes === 60 ? "Last hour" : `Last ${minutes} min`}
            </Button>
          ))}
          <Button onClick={() => onChange({ from: undefined, to: undefined })}>All times</Button>
        </div>
        {(["from", "to"] as const).map((end) => (
          <label key={end} className="grid gap-1 text-muted">
            {label[end] + (isUTC ? ", in UTC" : "")}
            <input
              key={written[end]}
              type="datetime-local"
              step="1"
              defaultValue={written[end]}
              onBlur={({ target: { value } }) => {
                const time = value
                  ? new Date(isUTC ? `${value}Z` : value).toISOString()
                  : undefined;
                // The control writes no seconds where they are 0.
                if (controlTime(time, isUTC) !== written[end]) {
                  onChange({ [end]: time });
                }
              }}
              className={field}
            />
          </label>
        ))}
      </fieldset>
    </details>
  );
}

/** A time as the browser's control takes it: without a zone, to the second. */
function controlTime(time: string | undefined, isUTC: boolean): string {
  if (!time) {
    return "";
  }
  const at = new Date(time);
  const ahead = isUTC ? 0 : at.getTimezoneOffset() * MINUTE;
  return new Date(at.getTime() - ahead).toISOString().slice(0, 19);
}

/** What narrows the lines and can be taken back one by one. */
function Chosen({
  state,
  names,
  onChange,
}: {
  state: LogState;
  names: string[];
  onChange: (rest: Partial<LogState>) => void;
}) {
  const { fields, from, to, clock } = state;
  const local = useLocalText();
  const shown = (time: string) => (clock === "utc" ? utcText(time) : local(time, "date"));
  // Where few are chosen from, their boxes say so already.
  const services = isFew(state, names) ? [] : state.services;
  const chosen: { label: string; without: Partial<LogState> }[] = [
    ...services.map((name) => ({
      label: name,
      without: { services: services.filter((each) => each !== name) },
    })),
    ...fields.map((one) => ({
      label: one,
      without: { fields: fields.filter((each) => each !== one) },
    })),
    ...(from ? [{ label: `from ${shown(from)}`, without: { from: undefined } }] : []),
    ...(to ? [{ label: `to ${shown(to)}`, without: { to: undefined } }] : []),
  ];
  if (chosen.length === 0) {
    return null;
  }
  return (
    <ul data-testid="chosen" className="flex flex-wrap gap-1.5">
      {chosen.map(({ label, without }) => (
        <li key={label}>
          <Button
            onClick={() => onChange(without)}
            aria-label={`Without ${label}`}
            className="max-w-80"
          >
            <span className="truncate">{label}</span>
            <span aria-hidden="true">×</span>
          </Button>
        </li>
      ))}
    </ul>
  );
}
