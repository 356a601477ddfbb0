"use client";

import { useQuery } from "@tanstack/react-query";
import { Button } from "@/components/button";
import { CopyButton } from "@/components/copy-button";
import { useEnvironment } from "@/components/environment";
import { RemovedIcon } from "@/components/icons";
import { revisionQuery } from "../query-options";
import type { Revision } from "../schema";
import { zrCommand } from "../words";
import { Changes } from "./changes";

/** Says that the cluster has other settings than the file of the project, and both ways to settle it. */
export function Drift({
  revision,
  ofFile,
  attached,
  onRestore,
}: {
  /** The revision that is in effect. */
  revision: number;
  /** The last one that was found as the file had it; undefined where none is known. */
  ofFile: Revision | undefined;
  /** Whether a `zr dev` follows the file. */
  attached: boolean;
  /** Asks whether to go back to what the file had; undefined where nobody may. */
  onRestore: ((revision: number) => void) | undefined;
}) {
  const environment = useEnvironment();
  const { data } = useQuery({
    ...revisionQuery(environment, revision, ofFile?.revision),
    enabled: ofFile !== undefined && ofFile.revision !== revision,
    refetchInterval: false,
  });
  const file = ofFile?.reason;
  if (data?.changes.length === 0) {
    return null; // gone back to: the file says the same
  }
  return (
    <section
      aria-labelledby="drift"
      data-testid="drift"
      className="mb-6 rounded-lg border border-starting/60 bg-surface"
    >
      <div className="flex gap-3 px-4 py-3">
        <RemovedIcon className="mt-0.5 text-starting" />
        <div className="min-w-0">
          <h2 id="drift" className="font-semibold">
            The cluster has other settings than {file ?? "the file of the project"}
          </h2>
          <p className="mt-0.5 text-muted text-xs">
            Revision {revision} was written here and not there. The next{" "}
            <code className="font-mono">zr up</code> stops before it undoes that.
          </p>
        </div>
      </div>
      {data && (
        <div className="border-line border-y">
          <Changes changes={data.changes} labels={["file", "cluster"]} />
        </div>
      )}
      <dl className="grid gap-3 px-4 py-3 text-xs sm:grid-cols-2">
        <Way
          title="Keep what the cluster has"
          text={
            attached
              ? "Writes it into the file; the attached zr dev applies that at once."
              : "Writes it into the file, with comments and order kept."
          }
          command={zrCommand("config pull", file)}
        />
        <Way
          title="Keep what the file says"
          text="Puts back what the file says, as a whole."
          command={zrCommand("up --overwrite", file)}
        >
          {ofFile && onRestore && !attached && (
            <Button onClick={() => onRestore(ofFile.revision)}>Put it back now</Button>
          )}
        </Way>
      </dl>
    </section>
  );
}

function Way({
  title,
  text,
  command,
  children,
}: {
  title: string;
  text: string;
  command: string;
  children?: React.ReactNode;
}) {
  return (
    <div className="min-w-0">
      <dt className="font-medium">{title}</dt>
      <dd className="mt-0.5 text-muted">{text}</dd>
      <dd className="mt-1.5 flex flex-wrap items-center gap-2">
        <code className="select-all rounded border border-line bg-canvas px-1.5 py-0.5 font-mono">
          {command}
        </code>
        <CopyButton label="Copy" text={() => command} />
        {children}
      </dd>
    </div>
  );
}
