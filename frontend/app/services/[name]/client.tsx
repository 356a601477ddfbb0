"use client";

import { useQuery } from "@tanstack/react-query";
import { useActions } from "@/components/actions/actions";
import { Button } from "@/components/button";
import { ChangePanel } from "@/components/change-panel";
import { KubernetesNotice } from "@/components/kubernetes-notice";
import { Link } from "@/components/link";
import { NothingHere } from "@/components/nothing-here";
import { Panel } from "@/components/panel";
import { ProblemView } from "@/components/problem-view";
import { ReasonNote } from "@/components/reason-note";
import { Skeleton } from "@/components/skeleton";
import { StateBadge } from "@/components/state";
import { actionsOf } from "@/lib/actions/actions";
import { actionLabel } from "@/lib/actions/words";
import { POLL_MS } from "@/lib/freshness";
import type { Outcome } from "@/lib/problem";
import { healthScreenPath, historyScreenPath, logsScreenPath } from "@/lib/screens";
import { overviewQuery } from "@/lib/stack/overview";
import { historyQuery } from "@/lib/stack/queries";
import type { History, Service, Services } from "@/lib/stack/schema";
import { useServices } from "@/lib/stack/use-services";
import { useNow } from "@/lib/use-now";
import { usePolled } from "@/lib/use-polled";
import { useTab } from "@/lib/use-tab";
import { Details } from "./_components/details";
import { Events } from "./_components/events";
import { Facts } from "./_components/facts";
import { Pods } from "./_components/pods";
import { hasRevisions, Revisions } from "./_components/revisions";
import { changesOf } from "./changes-of";

const TRYING = `This page asks again every ${POLL_MS / 1000} s.`;

/** One service: its state and why, what it runs, its pods, and what changed. */
export function ServiceClient({
  name,
  environment,
  loggedIn,
  ...initial
}: {
  name: string;
  environment?: string;
  loggedIn: boolean;
  services: Outcome<Services>;
  history: Outcome<History>;
  /** When the server asked, in milliseconds since the epoch. */
  renderedAt: number;
}) {
  const now = useNow(initial.renderedAt);
  const clock = { renderedAt: initial.renderedAt, now, paused: false };
  const services = useServices(environment, initial.services, clock);
  const history = usePolled(historyQuery(changesOf(name, environment)), initial.history, clock);
  const overview = useQuery({ ...overviewQuery(environment), enabled: loggedIn });
  const known = services.freshness === "live";
  const service = services.data?.services.find((each) => each.name === name);
  useTab(
    known && service ? `${name} is ${service.state} · zr` : `${name} · zr`,
    known && service ? service.state : "unknown",
  );

  if (!services.data) {
    return services.problem ? (
      <ProblemView alone problem={services.problem} note={TRYING} onRetry={services.ask} />
    ) : (
      <Skeleton />
    );
  }
  const { kubernetes } = services.data;
  const notice = known && kubernetes.status === "down" && (
    <KubernetesNotice reason={kubernetes.reason} />
  );
  const trouble = !known && services.problem && (
    <div className="mb-6">
      <ProblemView
        problem={services.problem}
        note={`Below is what was known last. ${TRYING}`}
        onRetry={services.ask}
      />
    </div>
  );
  if (!service) {
    return (
      <>
        {notice}
        {trouble}
        <NothingHere title={`No service is called ${name}`}>
          It was removed, or it never ran here. This page shows it as soon as it runs.
        </NothingHere>
      </>
    );
  }
  return (
    <>
      {notice}
      {trouble}
      <div data-testid="detail" data-state={known ? service.state : "unknown"} className="mb-6">
        <div
          aria-live="polite"
          className={`flex flex-wrap items-center gap-x-4 gap-y-1 ${known ? "" : "grayscale"}`}
        >
          <h1 className="wrap-anywhere font-semibold text-xl tracking-tight">{name}</h1>
          <StateBadge state={service.state} />
        </div>
        {known && <ActionButtons service={service} />}
        {service.reason && (
          <div className="mt-3">
            <ReasonNote reason={service.reason} state={service.state} />
          </div>
        )}
      </div>
      <div className="grid items-start gap-6 xl:grid-cols-[minmax(0,1fr)_21rem]">
        <div className="grid min-w-0 gap-6">
          <Facts
            service={service}
            services={services.data.services}
            overview={
              overview.error
                ? undefined
                : overview.data?.services.find((each) => each.name === name)
            }
            now={now}
          />
          <Panel title={known ? "Pods" : "Pods as they were"}>
            <Pods pods={service.pods} now={now} />
          </Panel>
          <Details service={name} loggedIn={loggedIn} now={now} />
          {hasRevisions(service) && <Revisions service={name} loggedIn={loggedIn} now={now} />}
          <Events service={name} now={now} />
        </div>
        <ChangePanel
          title="Recent changes"
          more={historyScreenPath({ service: name })}
          changes={history.data?.events}
          // Where nothing can be read, that is said once.
          problem={known && history.freshness !== "live" ? history.problem : undefined}
          now={now}
        />
      </div>
    </>
  );
}

/** Each asks first, and says what follows or why it cannot be done; then the ways to what else is known of it. */
function ActionButtons({ service: { name, kind } }: { service: Service }) {
  const ask = useActions();
  return (
    <div className="mt-3 flex flex-wrap gap-2">
      {ask &&
        actionsOf(kind).map((action) => (
          <Button key={action} onClick={() => ask({ service: name, action })}>
            {actionLabel[action]}
          </Button>
        ))}
      <Link
        href={logsScreenPath(name)}
        className="ml-2 self-center text-accent text-xs underline-offset-4 hover:underline"
      >
        Logs
      </Link>
      <Link
        href={healthScreenPath({ service: name })}
        className="self-center text-accent text-xs underline-offset-4 hover:underline"
      >
        Health
      </Link>
    </div>
  );
}
