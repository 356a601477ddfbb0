"use client";

import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { Button } from "@/components/button";
import { CopyButton } from "@/components/copy-button";
import { fetchJSON } from "@/lib/fetch-json";
import { inert } from "@/lib/inert";
import type { Problem } from "@/lib/problem";
import { useSnapshot } from "@/lib/snapshot/context";
import { asJSON, asText, timeText } from "../line-text";
import { foundSchema, type Line } from "../schema";
import { type LogState, parseState, searchPath, writeState } from "../search-params";

/** How many fields are shown, and how many more each time. */
const FIELDS = 100;

/** How much of the value of a field is shown, in characters. */
const VALUE = 10_000;

/** How many lines are shown on each side of one. */
const AROUND = 10;

/** All that is known of a line, and what can be done with it. */
export function LineDetail({
  line,
  state,
  onChange,
}: {
  line: Line;
  state: LogState;
  onChange: (rest: Partial<LogState>) => void;
}) {
  const [fieldsShown, setFieldsShown] = useState(FIELDS);
  const [around, setAround] = useState(false);
  const snapshot = useSnapshot();
  const fields = Object.entries(line.fields ?? {});
  const link = () =>
    location.origin + writeState({ ...state, from: undefined, to: line.time, line: line.id });
  return (
    <div
      data-testid="detail"
      className="mb-1 ml-2 grid gap-2 border-line border-l pt-1 pb-2 pl-3 font-sans whitespace-normal"
    >
      <dl className="grid max-w-full grid-cols-[auto_minmax(0,1fr)] gap-x-4 gap-y-0.5">
        <Fact name="time" value={line.time} />
        <Fact name="pod" value={line.pod} />
        <Fact name="container" value={line.container} />
        {fields.slice(0, fieldsShown).map(([key, value]) => (
          <Fact
            key={key}
            name={key}
            value={value}
            onPick={() => onChange({ fields: [...new Set([...state.fields, `${key}=${value}`])] })}
          />
        ))}
      </dl>
      {fields.length > fieldsShown && (
        <Button className="justify-self-start" onClick={() => setFieldsShown(fieldsShown + FIELDS)}>
          {(fields.length - fieldsShown).toLocaleString("en")} more fields
        </Button>
      )}
      <div className="flex flex-wrap gap-2">
        {!snapshot && (
          <Button onClick={() => setAround(!around)} aria-expanded={around}>
            What is around it
          </Button>
        )}
        <Button onClick={() => onChange({ services: [line.service] })}>Only {line.service}</Button>
        <CopyButton label="Copy the line" text={() => asText(line)} />
        <CopyButton label="Copy it as JSON" text={() => asJSON(line)} />
        {!snapshot && <CopyButton label="Copy a link to it" text={link} />}
      </div>
      {around && <Around line={line} state={state} />}
    </div>
  );
}

/** A field; one that can be picked becomes a filter. */
function Fact({ name, value, onPick }: { name: string; value: string; onPick?: () => void }) {
  const shown = value.length > VALUE ? `${value.slice(0, VALUE)}…` : value;
  return (
    <>
      <dt className="wrap-anywhere text-muted">{inert(name)}</dt>
      <dd className="wrap-anywhere whitespace-pre-wrap font-mono">
        {onPick ? (
          <button
            type="button"
            title="Show only lines with this"
            onClick={onPick}
            className="cursor-pointer text-left hover:underline"
          >
            {inert(shown)}
          </button>
        ) : (
          inert(shown)
        )}
      </dd>
    </>
  );
}

/** The lines of the same container before and after one, whatever the filters are. */
function Around({ line, state }: { line: Line; state: LogState }) {
  const exactly = {
    ...parseState(new URLSearchParams()),
    services: [line.service],
    from: line.time,
    to: line.time,
  };
  const { data, error } = useQuery({
    queryKey: ["log-context", line.id],
    queryFn: ({ signal }) =>
      fetchJSON(
        searchPath(exactly, { context: String(AROUND), limit: "100" }),
        foundSchema,
        signal,
      ),
    staleTime: Number.POSITIVE_INFINITY,
    retry: false,
  });
  if (!data) {
    return (
      <p role="status" className="text-muted">
        {error ? (error as unknown as Problem).message : "Reading…"}
      </p>
    );
  }
  const context = data.context?.[data.lines.findIndex(({ id }) => id === line.id)];
  const all = [...(context?.before ?? []).toReversed(), line, ...(context?.after ?? [])];
  return (
    <ol data-testid="around" className="font-mono">
      {all.map((each) => (
        <li
          key={each.id}
          className={`wrap-anywhere whitespace-pre-wrap ${each.id === line.id ? "font-semibold" : "text-muted"}`}
        >
          {timeText(each.time, state.clock === "relative" ? "local" : state.clock, 0)}{" "}
          {inert(each.message.slice(0, VALUE))}
        </li>
      ))}
    </ol>
  );
}
