"use client";

import dynamic from "next/dynamic";
import { useSearchParams } from "next/navigation";
import { recentChanges } from "@/app/(services)/recent-changes";
import { activityPath } from "@/app/activity/query-options";
import { activitySchema } from "@/app/activity/schema";
import { partOf as activityPart } from "@/app/activity/search-params";
import { settingsPath } from "@/app/configuration/query-options";
import { settingsSchema } from "@/app/configuration/schema";
import { partOf as configurationPart } from "@/app/configuration/search-params";
import { partOf as historyPart } from "@/app/history/part";
import { partOf as reloadsPart, savesOf } from "@/app/reloads/part";
import { changesOf } from "@/app/services/[name]/changes-of";
import { partOf as healthPart } from "@/app/uptime/part";
import { Skeleton } from "@/components/skeleton";
import type { Query } from "@/lib/address";
import { attachedPath, eventsPath, metricsPath } from "@/lib/dev/queries";
import { attachedSchema, deliverySchema, runEventsSchema } from "@/lib/dev/schema";
import type { Snapshot } from "@/lib/snapshot/snapshot";
import { historyPath, servicesPath } from "@/lib/stack/queries";
import { historySchema, servicesSchema } from "@/lib/stack/schema";
import { reportPath, reportSchema, uptimePath, uptimeSchema } from "@/lib/stack/uptime";
import { SnapshotLines } from "./snapshot-lines";

const loading = Skeleton;
const Services = dynamic(() => import("@/app/(services)/client").then((m) => m.ServicesClient), {
  loading,
});
const Service = dynamic(() => import("@/app/services/[name]/client").then((m) => m.ServiceClient), {
  loading,
});
const Health = dynamic(() => import("@/app/uptime/client").then((m) => m.HealthClient), {
  loading,
});
const Reloads = dynamic(() => import("@/app/reloads/client").then((m) => m.ReloadsClient), {
  loading,
});
const Configuration = dynamic(
  () => import("@/app/configuration/client").then((m) => m.ConfigurationClient),
  { loading },
);
const Setup = dynamic(() => import("@/app/setup/client").then((m) => m.SetupClient), { loading });
const History = dynamic(() => import("@/app/history/client").then((m) => m.HistoryClient), {
  loading,
});
const Activity = dynamic(() => import("@/app/activity/client").then((m) => m.ActivityClient), {
  loading,
});

/** One screen, as its page makes it of the answers of the api. */
export function SnapshotScreen({
  snapshot,
  place: [screen, name],
}: {
  snapshot: Snapshot;
  place: string[];
}) {
  const query: Query = Object.fromEntries(useSearchParams());
  // The file is of one environment, which its paths do not name.
  delete query.environment;
  const renderedAt = snapshot.takenAt;
  const services = snapshot.outcome(servicesPath(undefined), servicesSchema);
  switch (screen) {
    case undefined: {
      const history = snapshot.outcome(historyPath(recentChanges(undefined)), historySchema);
      return <Services {...{ services, history, renderedAt }} loggedIn />;
    }
    case "services": {
      const part = changesOf(name ?? "", undefined);
      const history = snapshot.outcome(historyPath(part), historySchema);
      const service = name ?? "";
      return (
        <Service key={service} name={service} {...{ services, history, renderedAt }} loggedIn />
      );
    }
    case "logs":
      return <SnapshotLines snapshot={snapshot} services={services} />;
    case "uptime": {
      const part = healthPart(query);
      const uptime = snapshot.outcome(uptimePath(part), uptimeSchema);
      const report = part.service
        ? snapshot.outcome(reportPath(part.service, part), reportSchema)
        : undefined;
      const key = `${uptimePath(part)} ${part.service}`;
      return <Health key={key} {...{ part, services, uptime, report, renderedAt }} />;
    }
    case "reloads": {
      const part = { ...reloadsPart(query), service: undefined, failed: false };
      const attached = snapshot.outcome(attachedPath(undefined), attachedSchema);
      const saves = snapshot.outcome(eventsPath(savesOf(part)), runEventsSchema);
      const metrics = snapshot.outcome(metricsPath(part), deliverySchema);
      const key = `${eventsPath(savesOf(part))} ${part.window}`;
      return <Reloads key={key} {...{ part, attached, saves, metrics, renderedAt }} />;
    }
    case "configuration": {
      const settings = snapshot.outcome(settingsPath(undefined), settingsSchema);
      return <Configuration part={configurationPart(query)} {...{ settings, renderedAt }} />;
    }
    case "setup": {
      const attached = snapshot.outcome(attachedPath(undefined), attachedSchema);
      return <Setup {...{ services, attached, renderedAt }} />;
    }
    case "history": {
      const part = historyPart(query);
      const history = snapshot.outcome(historyPath(part), historySchema);
      return <History key={historyPath(part)} {...{ part, services, history, renderedAt }} />;
    }
    default: {
      const part = { cursor: activityPart(query).cursor };
      const activity = snapshot.outcome(activityPath(part), activitySchema);
      return <Activity key={activityPath(part)} {...{ part, activity, renderedAt }} />;
    }
  }
}
