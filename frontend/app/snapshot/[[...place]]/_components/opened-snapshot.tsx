"use client";

import { QueryClientProvider } from "@tanstack/react-query";
import { usePathname } from "next/navigation";
import { useMemo } from "react";
import { Button } from "@/components/button";
import { Link } from "@/components/link";
import { localText } from "@/lib/local-time";
import { isOfScreen, SNAPSHOT, screens } from "@/lib/screens";
import { SnapshotContext } from "@/lib/snapshot/context";
import { SnapshotQueries } from "@/lib/snapshot/queries";
import type { Snapshot } from "@/lib/snapshot/snapshot";
import { show } from "../opened";
import { Contained } from "./contained";
import { MissingList } from "./missing-list";
import { SnapshotScreen } from "./snapshot-screen";

/** The screens over the answers of a file: none of them asks the api, and nothing can be done there. */
export function OpenedSnapshot({ snapshot, place }: { snapshot: Snapshot; place: string[] }) {
  const queries = useMemo(() => new SnapshotQueries(snapshot), [snapshot]);
  return (
    <SnapshotContext value={snapshot}>
      <QueryClientProvider client={queries}>
        <Head snapshot={snapshot} />
        <Contained key={place.join("/")}>
          <SnapshotScreen snapshot={snapshot} place={place} />
        </Contained>
      </QueryClientProvider>
    </SnapshotContext>
  );
}

/** Says of which environment and time all below is, and leads to the screens of it. */
function Head({ snapshot }: { snapshot: Snapshot }) {
  const { environment, takenAt, zr, missing } = snapshot.file;
  const path = usePathname().slice(SNAPSHOT.length) || "/";
  return (
    <section
      aria-label="Snapshot"
      data-testid="snapshot"
      className="mb-6 overflow-hidden rounded-lg border border-accent/60 bg-surface"
    >
      <div className="flex flex-wrap items-center gap-x-4 gap-y-2 px-4 py-2.5">
        <p className="min-w-0 flex-1">
          <strong className="wrap-anywhere font-semibold">Snapshot of {environment}</strong>, taken{" "}
          <time dateTime={takenAt} title={takenAt}>
            {localText(takenAt, "date")}
          </time>{" "}
          <span className="text-muted">
            by zr {zr}. It shows what was, and nothing in it can be done.
          </span>
        </p>
        <Button onClick={() => show(undefined)}>Close it</Button>
      </div>
      {missing.length > 0 && (
        <details className="border-line border-t px-4 py-2">
          <summary className="cursor-pointer text-muted text-xs">
            {missing.length} {missing.length === 1 ? "part" : "parts"} could not be saved
          </summary>
          <div data-testid="could-not" className="mt-2">
            <MissingList missing={missing} />
          </div>
        </details>
      )}
      <nav
        aria-label="Screens of the snapshot"
        className="flex flex-wrap gap-x-1 border-line border-t px-2"
      >
        {screens.map(({ href, label }) => (
          <Link
            key={href}
            href={href}
            prefetch={false}
            aria-current={isOfScreen(path, href) ? "page" : undefined}
            className={`-outline-offset-2! shrink-0 border-b-2 px-2 py-1.5 ${isOfScreen(path, href) ? "border-accent" : "border-transparent text-muted hover:text-ink"}`}
          >
            {label}
          </Link>
        ))}
      </nav>
    </section>
  );
}
