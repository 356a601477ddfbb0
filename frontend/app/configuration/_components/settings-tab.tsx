"use client";

import { useQuery } from "@tanstack/react-query";
import dynamic from "next/dynamic";
import { useState } from "react";
import { Button } from "@/components/button";
import { Link } from "@/components/link";
import { Panel } from "@/components/panel";
import type { Fault } from "@/lib/problem";
import { type Content, linesOf, type Row, rowsOf, textOf, type Value } from "../draft";
import { revisionsQuery, shapeQuery } from "../query-options";
import type { Settings } from "../schema";
import { type ConfigurationPart, placeOf, views } from "../search-params";
import { useEditing } from "../use-editing";
import { workloads } from "../words";
import { Conflict } from "./conflict";
import { Drift } from "./drift";
import { Nobody } from "./nobody";
import { RestoreDialog } from "./restore-dialog";
import { Review, SavedNote } from "./review";
import { SettingsForm } from "./settings-form";
import type { Goal } from "./text-editor";

/** Why who looks may change nothing. */
export type NobodyReason = { text: string; command?: string } | undefined;

/** The settings as a form or as text, and what a change of them would do. */
export function SettingsTab({
  part,
  settings,
  nobody,
  attached,
}: {
  part: ConfigurationPart;
  /** What the cluster has. */
  settings: Settings;
  nobody: NobodyReason;
  /** Whether a `zr dev` that writes the file is there. */
  attached: boolean;
}) {
  const { environment, view } = part;
  const editing = useEditing(environment, settings, nobody === undefined);
  const { current, draft, previewed, conflicts, saved, saving } = editing;
  const [goal, setGoal] = useState<Goal>();
  const [restoring, setRestoring] = useState<number>();
  const { data: revisions } = useQuery(revisionsQuery(environment));
  const ofFile = revisions?.revisions.find(({ author }) => author === "zr");
  return (
    <>
      {saved && <SavedNote written={saved} onDismiss={() => editing.setSaved(undefined)} />}
      {draft && conflicts && (
        <Conflict
          key={current.etag}
          base={draft.base}
          theirs={current.values}
          mine={editing.values}
          source={settings.source}
          onSettle={editing.settle}
          onDiscard={editing.discard}
        />
      )}
      {settings.revision && !draft && (
        <Drift
          revision={settings.revision}
          ofFile={ofFile}
          attached={attached}
          onRestore={nobody ? undefined : setRestoring}
        />
      )}
      <div className="grid items-start gap-6 lg:grid-cols-[minmax(0,5fr)_minmax(0,3fr)]">
        <Editor
          part={part}
          settings={settings}
          editing={editing}
          readOnly={nobody !== undefined || saving?.going === true}
          goal={goal}
        />
        {draft ? (
          <Review
            previewed={previewed}
            reason={draft.reason}
            where={whereText(attached, ofFile?.reason)}
            nobody={nobody}
            conflicts={conflicts}
            saving={saving}
            onReason={editing.giveReason}
            onGo={
              view === "text" ? ({ line = 1, column = 1 }) => setGoal({ line, column }) : undefined
            }
            onSave={editing.save}
            onDiscard={editing.discard}
          />
        ) : (
          <Origin
            settings={settings}
            nobody={nobody}
            onAgain={() => editing.write({ kind: "rows", rows: rowsOf(current.values) })}
          />
        )}
      </div>
      {restoring && (
        <RestoreDialog
          revision={restoring}
          onClose={() => setRestoring(undefined)}
          onDone={(written) => {
            setRestoring(undefined);
            editing.setSaved(written);
          }}
        />
      )}
    </>
  );
}

const NO_FAULTS: Fault[] = [];

// CodeMirror is large: it comes where somebody opens the text.
const TextEditor = dynamic(() => import("./text-editor").then((m) => m.TextEditor), {
  ssr: false,
  loading: () => <p className="px-4 py-3 text-muted text-xs">Loading the editor…</p>,
});

function Editor({
  part,
  settings,
  editing: { current, draft, previewed, write },
  readOnly,
  goal,
}: {
  part: ConfigurationPart;
  settings: Settings;
  editing: ReturnType<typeof useEditing>;
  readOnly: boolean;
  goal: Goal | undefined;
}) {
  const { data: shape } = useQuery(shapeQuery);
  const faults = previewed.problem?.faults ?? NO_FAULTS;
  const rows = draft ? rowsIn(draft.content, previewed.preview?.settings) : rowsOf(current.values);
  return (
    <div className="min-w-0">
      <Panel title="Settings" note={<Views part={part} />}>
        {part.view === "text" && (
          <TextEditor
            text={draft ? textIn(draft.content, previewed.preview?.text) : current.text}
            original={current.text}
            faults={draft ? faults : NO_FAULTS}
            keys={settings.settings.map(({ key, usedBy }) => ({ key, detail: readers(usedBy) }))}
            readOnly={readOnly}
            goal={goal}
            onChange={(text) => write({ kind: "text", text })}
          />
        )}
        {part.view === "form" && rows && (
          <SettingsForm
            settings={settings}
            rows={rows}
            faults={faultsOfRows(rows, faults)}
            readOnly={readOnly}
            onChange={(rows) => write({ kind: "rows", rows })}
          />
        )}
        {part.view === "form" && !rows && (
          <p data-testid="only-text" className="px-4 py-3 text-xs">
            What you wrote as text cannot be read as settings yet. The form shows it once that is
            mended.
          </p>
        )}
      </Panel>
      {shape && (
        <p data-testid="shape" className="mt-2 text-muted text-xs">
          {shape.description} A value is a{" "}
          {new Intl.ListFormat("en", { type: "disjunction" }).format(
            shape.additionalProperties.type,
          )}
          , which pods read as text.
        </p>
      )}
    </div>
  );
}

/** The rows of what is written; of a text, once the api has read it. */
function rowsIn(content: Content, read: Value[] | undefined): Row[] | undefined {
  return content.kind === "rows" ? content.rows : read && rowsOf(read);
}

/** What is written as text; of rows, as the api writes it once it has read them. */
function textIn(content: Content, read: string | undefined): string {
  return content.kind === "text" ? content.text : (read ?? textOf(content));
}

/** Each row is a line of the text that the api was asked about. */
function faultsOfRows(rows: Row[], faults: Fault[]): Map<number, string> {
  const lines = linesOf(rows);
  return new Map(
    faults.flatMap(({ line, message }) => {
      const row = line && lines[line - 1];
      return row ? [[row.id, message] as const] : [];
    }),
  );
}

function readers(usedBy: string[]): string {
  return usedBy.length > 0 ? `read by ${workloads(usedBy)}` : "no pod reads it";
}

function Views({ part }: { part: ConfigurationPart }) {
  return (
    <nav aria-label="How settings are written" className="flex gap-3">
      {views.map((view) => (
        <Link
          key={view}
          href={placeOf({ tab: "settings", view })}
          aria-current={view === part.view ? "page" : undefined}
          className={
            view === part.view
              ? "font-medium text-ink"
              : "text-accent underline-offset-4 hover:underline"
          }
        >
          {view === "form" ? "Form" : "Text"}
        </Link>
      ))}
    </nav>
  );
}

function whereText(attached: boolean, file = "the file of the project"): string {
  return attached
    ? `The attached zr dev writes it into ${file} and applies it, as a revision that one can go back to.`
    : `It becomes a revision in the cluster. Until you settle which of the two is kept, ${file} stays as it is.`;
}

/** Where the settings are from, while nothing is changed. */
function Origin({
  settings: { source, behind },
  nobody,
  onAgain,
}: {
  settings: Settings;
  nobody: NobodyReason;
  onAgain: () => void;
}) {
  return (
    <Panel title="Where they are from">
      <div className="space-y-3 px-4 py-3 text-xs">
        <p data-testid="source" className="wrap-anywhere font-mono">
          {source || "Nobody has said so."}
        </p>
        {behind.length > 0 && (
          <div data-testid="behind" className="space-y-2 border-starting border-l-2 pl-3">
            <p>
              {workloads(behind)} {behind.length === 1 ? "was" : "were"} not rolled to these
              settings. The same settings, written again, do that.
            </p>
            {!nobody && <Button onClick={onAgain}>Write them again</Button>}
          </div>
        )}
        {nobody ? (
          <Nobody {...nobody} />
        ) : (
          <p className="text-muted">
            Change a setting to see here what that does, before it is saved.
          </p>
        )}
      </div>
    </Panel>
  );
}
