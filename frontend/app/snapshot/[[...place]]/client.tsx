"use client";

import dynamic from "next/dynamic";
import { usePathname } from "next/navigation";
import { Skeleton } from "@/components/skeleton";
import { useTab } from "@/lib/use-tab";
import { OpenPanel } from "./_components/open-panel";
import { SavePanel } from "./_components/save-panel";
import { useOpened } from "./opened";

// The screens of a snapshot are loaded where one is open.
const Opened = dynamic(
  () => import("./_components/opened-snapshot").then((m) => m.OpenedSnapshot),
  {
    loading: Skeleton,
  },
);

interface About {
  /** That of which one would be saved. */
  environment: string | undefined;
  loggedIn: boolean;
}

/** Saves what the screens show as one file, and shows such a file. */
export function SnapshotClient(about: About) {
  const snapshot = useOpened();
  // The screen of the snapshot: the address may change without asking the server.
  const place = usePathname().split("/").slice(2).map(decodeURIComponent);
  return snapshot ? (
    <Opened snapshot={snapshot} place={place} />
  ) : (
    <Begin {...about} isScreen={place.length > 0} />
  );
}

function Begin({ isScreen, environment, loggedIn }: About & { isScreen: boolean }) {
  useTab("Snapshot · zr", "unknown");
  return (
    <>
      <h1 className="mb-6 font-semibold text-xl tracking-tight">Snapshot</h1>
      {isScreen && (
        <p data-testid="not-open" className="mb-6 text-muted">
          This address is a screen of a snapshot. A browser keeps none: open its file to see it.
        </p>
      )}
      <div className="grid items-start gap-6 lg:grid-cols-2">
        <SavePanel environment={environment} loggedIn={loggedIn} />
        <OpenPanel />
      </div>
    </>
  );
}
