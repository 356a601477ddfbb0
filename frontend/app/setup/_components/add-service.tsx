"use client";

import { useMutation } from "@tanstack/react-query";
import { useSearchParams } from "next/navigation";
import { useState } from "react";
import { Button } from "@/components/button";
import { Command } from "@/components/command";
import { CopyButton } from "@/components/copy-button";
import { Panel } from "@/components/panel";
import { ProblemView } from "@/components/problem-view";
import { whyNobody } from "@/lib/actions/session";
import { useSession } from "@/lib/actions/use-session";
import { shownText } from "@/lib/inert-text";
import type { Problem } from "@/lib/problem";
import { propose } from "../query-options";
import type { Proposal, Snippet } from "../schema";
import { folderIn, MAX_FOLDER } from "../search-params";

const kindText: Record<Proposal["kind"], string> = {
  go: "a Go program",
  node: "a Node.js program",
  dockerfile: "what its Dockerfile says",
};

/** The exact lines that make a service of a folder, as the attached `zr dev` proposes them. */
export function AddService({ environment }: { environment: string | undefined }) {
  const inAddress = folderIn({ folder: useSearchParams().get("folder") ?? undefined });
  const [folder, setFolder] = useState(inAddress);
  const [followed, setFollowed] = useState(inAddress);
  if (followed !== inAddress) {
    // Back and forward lead to what was asked for before.
    setFollowed(inAddress);
    setFolder(inAddress);
  }
  const { data: session, error } = useSession();
  const nobody = whyNobody(session, error);
  const asked = useMutation<Proposal, Problem, string>({
    mutationFn: (folder) => propose(folder, environment),
  });
  function ask() {
    const url = new URL(location.href);
    url.searchParams.set("folder", folder);
    if (folder !== inAddress) {
      window.history.pushState(null, "", url);
    }
    asked.mutate(folder);
  }
  const answers = asked.variables === inAddress;
  return (
    <Panel title="Add a service" note="Nothing is written">
      <div className="grid gap-3 px-4 py-3">
        {nobody && (
          <p data-testid="why-not" className="border-starting border-l-2 pl-3 text-xs">
            {nobody.text} {nobody.command && <Command>{nobody.command}</Command>}
          </p>
        )}
        <form
          className="flex flex-wrap items-center gap-2"
          onSubmit={(event) => {
            event.preventDefault();
            ask();
          }}
        >
          <label className="flex min-w-0 flex-wrap items-center gap-2 text-muted text-xs">
            Folder of the project
            <input
              required
              maxLength={MAX_FOLDER}
              autoComplete="off"
              spellCheck={false}
              placeholder="services/mail"
              value={folder}
              onChange={(event) => setFolder(event.target.value)}
              className="h-8 w-56 max-w-full rounded-md border border-line bg-canvas px-2 font-mono text-ink"
            />
          </label>
          <Button
            type="submit"
            disabled={nobody !== undefined || asked.isPending}
            className="border-accent! text-accent disabled:border-line! disabled:text-muted"
          >
            {asked.isPending ? "Looking…" : "Show the lines"}
          </Button>
        </form>
        {answers && asked.error && (
          <ProblemView problem={asked.error} note="Nothing was written." onRetry={ask} />
        )}
        {answers && asked.data && <Lines proposal={asked.data} />}
      </div>
    </Panel>
  );
}

function Lines({ proposal: { service, kind, because, port, edits } }: { proposal: Proposal }) {
  return (
    <div data-testid="proposal" className="grid gap-3">
      <p>
        <span className="font-medium">{shownText(service)}</span> is built as {kindText[kind]}
        {port > 0 && `, and listens at port ${port}`}.{" "}
        <span className="wrap-anywhere text-muted text-xs">{shownText(because)}</span>
      </p>
      {edits.map((edit) => (
        <Edit key={`${edit.file} ${edit.under}`} edit={edit} />
      ))}
      <p className="text-muted text-xs">Save them, and the attached zr dev brings it up.</p>
    </div>
  );
}

function Edit({ edit: { file, new: isNew, under, text } }: { edit: Snippet }) {
  return (
    <div className="grid min-w-0 gap-1">
      <div className="flex flex-wrap items-center gap-2 text-xs">
        <span className="wrap-anywhere font-mono">{shownText(file)}</span>
        <span className="wrap-anywhere text-muted">
          {isNew ? "a new file" : under ? `at the end of ${shownText(under)}:` : "at its end"}
        </span>
        <span className="ml-auto">
          <CopyButton label="Copy" text={() => text} />
        </span>
      </div>
      <pre
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what is wider than its place is scrolled by keyboard too
        tabIndex={0}
        className="overflow-x-auto rounded-md bg-canvas px-3 py-2 font-mono text-xs"
      >
        {shownText(text)}
      </pre>
    </div>
  );
}
