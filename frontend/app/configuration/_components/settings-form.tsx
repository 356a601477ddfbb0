"use client";

import { useRef } from "react";
import { flushSync } from "react-dom";
import { Button } from "@/components/button";
import { type Row, withNewRow } from "../draft";
import type { Settings } from "../schema";
import { workloads } from "../words";

const FIELD =
  "min-h-8 w-full rounded-md border bg-canvas px-2 py-1.5 font-mono text-xs leading-4.5";

/** A field for each setting. */
export function SettingsForm({
  settings,
  rows,
  faults,
  readOnly,
  onChange,
}: {
  /** What the cluster has. */
  settings: Settings;
  rows: Row[];
  /** What is wrong with a row, by its id. */
  faults: Map<number, string>;
  readOnly: boolean;
  onChange: (rows: Row[]) => void;
}) {
  const known = new Map(settings.settings.map((each) => [each.key, each]));
  const list = useRef<HTMLUListElement>(null);
  const replace = (row: Row) => onChange(rows.map((each) => (each.id === row.id ? row : each)));
  function add() {
    flushSync(() => onChange(withNewRow(rows)));
    list.current?.querySelector<HTMLElement>("li:last-child input")?.focus();
  }
  return (
    <>
      {rows.length === 0 && (
        <p className="px-4 py-3 text-muted text-xs">
          There are no settings yet. Pods read them from the ConfigMap “settings”.
        </p>
      )}
      <ul ref={list} data-testid="settings-form" className="divide-y divide-line">
        {rows.map((row) => (
          <RowItem
            key={row.id}
            row={row}
            was={known.get(row.key)?.value}
            usedBy={known.get(row.key)?.usedBy ?? []}
            fault={faults.get(row.id)}
            readOnly={readOnly}
            onChange={replace}
            onDrop={() => onChange(rows.filter((each) => each.id !== row.id))}
          />
        ))}
      </ul>
      {!readOnly && (
        <div className="border-line border-t px-4 py-3">
          <Button onClick={add}>Add a setting</Button>
        </div>
      )}
    </>
  );
}

function RowItem({
  row,
  was,
  usedBy,
  fault,
  readOnly,
  onChange,
  onDrop,
}: {
  row: Row;
  /** The value that the cluster has. */
  was: string | undefined;
  usedBy: string[];
  fault: string | undefined;
  readOnly: boolean;
  onChange: (row: Row) => void;
  onDrop: () => void;
}) {
  const { id, key, value, added, removed } = row;
  const differs = added || removed || value !== was;
  const name = key || "the new setting";
  const note = `note-${id}`;
  return (
    <li
      data-testid={`setting-${key}`}
      data-differs={differs}
      className={`grid gap-x-4 gap-y-1.5 border-l-2 py-3 pr-4 pl-3.5 sm:grid-cols-[minmax(0,2fr)_minmax(0,3fr)_5.5rem] ${differs ? "border-l-accent" : "border-l-transparent"}`}
    >
      <div className="min-w-0">
        {added ? (
          <input
            aria-label="Name of the new setting"
            aria-describedby={note}
            value={key}
            spellCheck={false}
            autoComplete="off"
            placeholder="NAME"
            onChange={(event) => onChange({ ...row, key: event.target.value })}
            className={`${FIELD} border-line`}
          />
        ) : (
          <p className={`wrap-anywhere pt-1.5 font-mono text-xs ${removed ? "line-through" : ""}`}>
            {key}
          </p>
        )}
        {!added && (
          <p className="wrap-anywhere mt-0.5 text-muted text-xs">
            {usedBy.length > 0 ? `read by ${workloads(usedBy)}` : "no pod reads it"}
          </p>
        )}
      </div>
      <div className="min-w-0">
        <textarea
          aria-label={`Value of ${name}`}
          aria-describedby={note}
          aria-invalid={fault !== undefined}
          value={value}
          readOnly={readOnly || removed}
          rows={Math.min(8, value.split("\n").length)}
          spellCheck={false}
          autoComplete="off"
          onChange={(event) => onChange({ ...row, value: event.target.value })}
          className={`${FIELD} field-sizing-content block resize-none ${fault ? "border-unhealthy" : "border-line"} ${removed ? "text-muted line-through" : ""}`}
        />
        <p id={note} className="wrap-anywhere mt-0.5 text-xs empty:hidden">
          {fault && <span className="text-unhealthy">{fault}</span>}
          {!fault && differs && <span className="text-muted">{noteOf(row, was)}</span>}
        </p>
      </div>
      {!readOnly && (
        <RowButton row={row} was={was} name={name} onChange={onChange} onDrop={onDrop} />
      )}
    </li>
  );
}

function RowButton({
  row,
  was,
  name,
  onChange,
  onDrop,
}: {
  row: Row;
  was: string | undefined;
  name: string;
  onChange: (row: Row) => void;
  onDrop: () => void;
}) {
  const undoes = row.removed || (!row.added && was !== undefined && row.value !== was);
  const act = undoes
    ? () => onChange({ ...row, value: was ?? row.value, removed: false })
    : row.added
      ? onDrop
      : () => onChange({ ...row, removed: true });
  const label = undoes ? "Undo" : "Remove";
  return (
    <Button
      aria-label={`${label} ${name}`}
      onClick={act}
      className="justify-center self-start max-sm:w-20 sm:h-8"
    >
      {label}
    </Button>
  );
}

function noteOf({ added, removed }: Row, was: string | undefined): string {
  if (removed) {
    return "goes";
  }
  if (added || was === undefined) {
    return "new";
  }
  return was === "" ? "was empty" : `was ${was}`;
}
