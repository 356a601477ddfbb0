"use client";

import { useQuery } from "@tanstack/react-query";
import { Panel } from "@/components/panel";
import { ProblemView } from "@/components/problem-view";
import { Skeleton } from "@/components/skeleton";
import { attachedQuery } from "@/lib/dev/queries";
import type { AttachedRuns } from "@/lib/dev/schema";
import type { Outcome, Problem } from "@/lib/problem";
import { useSnapshot } from "@/lib/snapshot/context";
import { servicesQuery } from "@/lib/stack/queries";
import type { Services } from "@/lib/stack/schema";
import { useNow } from "@/lib/use-now";
import { usePolled } from "@/lib/use-polled";
import { useTab } from "@/lib/use-tab";
import { AddService } from "./_components/add-service";
import { Checklist } from "./_components/checklist";
import { Cluster } from "./_components/cluster";
import { FirstRun } from "./_components/first-run";
import { Line } from "./_components/line";
import { findingsQuery } from "./query-options";

interface Found {
  services: Outcome<Services>;
  attached: Outcome<AttachedRuns>;
  /** When the server asked, in milliseconds since the epoch. */
  renderedAt: number;
}

/** Whether all is there that the environment needs, and how a service is added to it. */
export function SetupClient({ environment, ...initial }: { environment?: string } & Found) {
  const now = useNow(initial.renderedAt);
  const clock = { renderedAt: initial.renderedAt, now, paused: false };
  const services = usePolled(servicesQuery(environment), initial.services, clock);
  const attached = usePolled(attachedQuery(environment), initial.attached, clock);
  useTab("Setup · zr", "unknown");
  const snapshot = useSnapshot();
  const runs = attached.data?.attached ?? [];
  const can = (action: string) =>
    runs.some(({ verb, actions }) => verb === "dev" && actions.includes(action));
  const problem = services.problem ?? attached.problem;
  const empty = services.data?.services.length === 0;
  return (
    <>
      <h1 className="mb-6 font-semibold text-xl tracking-tight">Setup</h1>
      {problem && (
        <div className="mb-6">
          <ProblemView
            problem={problem}
            note={noteOf(problem)}
            onRetry={() => {
              services.ask();
              attached.ask();
            }}
          />
        </div>
      )}
      {!services.data && !attached.data && !problem && <Skeleton />}
      <div className="grid gap-6">
        {empty && <FirstRun />}
        {services.data && (
          <Cluster services={services.data} known={services.freshness === "live"} />
        )}
        {attached.data && (
          <>
            {can("examine") ? (
              <Examined environment={environment} />
            ) : (
              <Panel title="Machine and project">
                <Nobody attached={runs.some(({ verb }) => verb === "dev")} />
              </Panel>
            )}
            {can("propose") && !snapshot && <AddService environment={environment} />}
          </>
        )}
      </div>
    </>
  );
}

function noteOf({ code }: Problem): string {
  return code === "not_logged_in"
    ? "What a machine is like is for people who are logged in."
    : "This page asks again by itself.";
}

/** What is looked at where somebody is attached, who looks. */
function Examined({ environment }: { environment: string | undefined }) {
  const { data, error, isFetching, refetch } = useQuery(findingsQuery(environment));
  if (!data && !error) {
    return (
      <Panel title="Machine and project">
        <p role="status" className="px-4 py-3 text-muted text-xs">
          The attached zr dev looks…
        </p>
      </Panel>
    );
  }
  return (
    <>
      {error && (
        <ProblemView
          problem={error}
          note={data ? "Below is what was found last." : "This page asks again by itself."}
          onRetry={() => void refetch()}
        />
      )}
      {data && (
        <Checklist findings={data.findings} asking={isFetching} onAsk={() => void refetch()} />
      )}
    </>
  );
}

/** Says who would look, and what to type meanwhile. */
function Nobody({ attached }: { attached: boolean }) {
  return (
    <div data-testid="nobody-examines" className="grid gap-2 px-4 py-3 text-xs">
      <p className="text-muted">
        {attached
          ? "The attached zr dev is of a version that does not tell what it finds. Start one of this version, in the folder of the project:"
          : "The machine, the secrets and the images are looked at by an attached zr dev. Start one in the folder of the project:"}
      </p>
      <Line>zr dev</Line>
      <p className="text-muted">Or look there yourself:</p>
      <Line>zr doctor</Line>
    </div>
  );
}
