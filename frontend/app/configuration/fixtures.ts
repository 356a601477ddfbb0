import { NOW } from "@/lib/stack/fixtures";
import type { Preview, Revision, Secret, Settings } from "./schema";

/** Settings of tests: two, from a file, but for what the test says. */
export function someSettings(rest: Partial<Settings> = {}): Settings {
  return {
    text: "LOG_LEVEL: info\nSIZE: 1\n",
    settings: [
      { key: "LOG_LEVEL", value: "info", usedBy: ["Deployment/api"] },
      { key: "SIZE", value: "1", usedBy: [] },
    ],
    source: "config/dev.yaml",
    behind: [],
    etag: '"1"',
    ...rest,
  };
}

/** A preview of tests: LOG_LEVEL gets debug, and rolls the api. */
export function aPreview(rest: Partial<Preview> = {}): Preview {
  return {
    changes: [{ key: "LOG_LEVEL", old: "info", new: "debug" }],
    rolls: ["Deployment/api"],
    later: [],
    text: "LOG_LEVEL: debug\nSIZE: 1\n",
    settings: [
      { key: "LOG_LEVEL", value: "debug" },
      { key: "SIZE", value: "1" },
    ],
    etag: '"1"',
    ...rest,
  };
}

/** A revision of tests: ana made it a minute ago, but for what the test says. */
export function aRevision(rest: Partial<Revision> = {}): Revision {
  return {
    revision: 7,
    at: new Date(NOW - 60_000).toISOString(),
    author: "ana",
    reason: "to see more",
    outcome: "written",
    ...rest,
  };
}

/** The Secret of tests that can be set: it has one key, which postgres reads. */
export function aSecret(rest: Partial<Secret> = {}): Secret {
  return {
    name: "secrets",
    settable: true,
    createdAt: new Date(NOW - 7_200_000).toISOString(),
    changedAt: new Date(NOW - 3_600_000).toISOString(),
    source: "config/secrets/dev.env",
    keys: [{ name: "PASSWORD", usedBy: ["StatefulSet/postgres"] }],
    ...rest,
  };
}
