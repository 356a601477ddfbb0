import type { z } from "zod";
import { recentChanges } from "@/app/(services)/recent-changes";
import { activityPath } from "@/app/activity/query-options";
import { activitySchema } from "@/app/activity/schema";
import {
  revisionsPath,
  secretsPath,
  settingsPath,
  shapePath,
} from "@/app/configuration/query-options";
import {
  secretsSchema,
  revisionsSchema as settingsRevisionsSchema,
  settingsSchema,
  settingsShapeSchema,
} from "@/app/configuration/schema";
import { partOf as historyPart } from "@/app/history/part";
import { foundSchema } from "@/app/logs/schema";
import { faultsOf, partOf as reloadsPart, savesOf, stepsOf } from "@/app/reloads/part";
import { changesOf } from "@/app/services/[name]/changes-of";
import { detailsSchema } from "@/app/services/[name]/details";
import { eventsSchema, pathOf, revisionsSchema } from "@/app/services/[name]/queries";
import { findingsPath } from "@/app/setup/query-options";
import { findingsSchema } from "@/app/setup/schema";
import { attachedPath, eventsPath, metricsPath } from "@/lib/dev/queries";
import {
  type AttachedRuns,
  attachedSchema,
  deliverySchema,
  runEventsSchema,
} from "@/lib/dev/schema";
import type { Choice } from "@/lib/snapshot/format";
import { overviewPath, overviewSchema } from "@/lib/stack/overview";
import { historyPath, servicesPath } from "@/lib/stack/queries";
import { historySchema, type Service, servicesSchema } from "@/lib/stack/schema";
import { reportPath, reportSchema, uptimePath, uptimeSchema, windows } from "@/lib/stack/uptime";
import { keptDetails, keptEvents, keptSettings } from "./leave-out";

/** Something that the screens ask for, at the path that they ask for it without an environment. */
export interface Part {
  /** What it is, in a word: "the events of redis". */
  what: string;
  path: string;
  schema: z.ZodType<unknown>;
  /** Whether it is the same for all environments. */
  ofAll?: boolean;
  /** Whether the api says to everybody else that it is for who has a session. */
  forSessions?: boolean;
  /** How many pages are read on, where an answer says that there are more. */
  pages?: number;
  /** What stays of an answer where only that is saved which was chosen. */
  keep?: (answer: never, chosen: readonly Choice[]) => unknown;
}

/** Where the newest lines are kept. */
export const LINES_PATH = "/api/v1/logs";

/** How many lines are saved, and asked for at once, which is as many as the api answers. */
export const MOST_LINES = 2_000;
const LINES_AT_ONCE = 1_000;

/** Pages of the history and of the audit log: 500 entries of each. */
const PAGES = 10;

export const servicesPart = {
  what: "the services",
  path: servicesPath(undefined),
  schema: servicesSchema,
} satisfies Part;

export const attachedPart = {
  what: "the attached runs of zr",
  path: attachedPath(undefined),
  schema: attachedSchema,
} satisfies Part;

export const linesPart = {
  what: "the log lines",
  path: `${LINES_PATH}?limit=${LINES_AT_ONCE}`,
  schema: foundSchema,
} satisfies Part;

/** What is asked for of any environment. */
export function commonParts(): Part[] {
  const told = { schema: runEventsSchema, keep: keptEvents };
  return [
    {
      what: "the history",
      path: historyPath(historyPart({})),
      schema: historySchema,
      pages: PAGES,
    },
    {
      what: "the newest changes",
      path: historyPath(recentChanges(undefined)),
      schema: historySchema,
    },
    ...windows.flatMap((window) => [
      { what: `the health of ${window}`, path: uptimePath({ window }), schema: uptimeSchema },
      { what: `the metrics of ${window}`, path: metricsPath({ window }), schema: deliverySchema },
    ]),
    { ...told, what: "the reloads", path: eventsPath(savesOf(reloadsPart({}))) },
    { ...told, what: "the faults of builds", path: eventsPath(faultsOf(undefined)) },
    { ...told, what: "the runs of zr", path: eventsPath(stepsOf(undefined)) },
    {
      what: "the settings",
      path: settingsPath(undefined),
      schema: settingsSchema,
      keep: keptSettings,
    },
    {
      what: "the form of settings",
      path: shapePath,
      schema: settingsShapeSchema,
      ofAll: true,
    },
    {
      what: "the revisions of the settings",
      path: revisionsPath(undefined),
      schema: settingsRevisionsSchema,
    },
    { what: "the names of the secrets", path: secretsPath(undefined), schema: secretsSchema },
    {
      what: "the activity",
      path: activityPath({}),
      schema: activitySchema,
      pages: PAGES,
      ofAll: true,
      forSessions: true,
    },
    {
      what: "what the services use",
      path: overviewPath(undefined),
      schema: overviewSchema,
    },
  ];
}

/** What is asked for of one service. */
export function partsOf({ name, kind }: Service): Part[] {
  return [
    {
      what: `the containers of ${name}`,
      path: pathOf(name, "details", undefined),
      schema: detailsSchema,
      keep: keptDetails,
    },
    {
      what: `the events of ${name}`,
      path: pathOf(name, "events", undefined),
      schema: eventsSchema,
    },
    ...(kind === "Deployment" || kind === "StatefulSet"
      ? [
          {
            what: `the revisions of ${name}`,
            path: pathOf(name, "revisions", undefined),
            schema: revisionsSchema,
          },
        ]
      : []),
    ...[changesOf(name, undefined), historyPart({ service: name })].map((part) => ({
      what: `the history of ${name}`,
      path: historyPath(part),
      schema: historySchema,
    })),
    ...windows.map((window) => ({
      what: `the health of ${name} in ${window}`,
      path: reportPath(name, { window }),
      schema: reportSchema,
    })),
  ];
}

/** What an attached zr dev finds: nobody is asked where none would answer. */
export function findingsParts({ attached }: AttachedRuns): Part[] {
  return attached.some(({ verb, actions }) => verb === "dev" && actions.includes("examine"))
    ? [{ what: "the checklist", path: findingsPath(undefined), schema: findingsSchema }]
    : [];
}
