// @vitest-environment happy-dom

import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { QueryClientProvider, queryOptions, useQuery } from "@tanstack/react-query";
import { cleanup, render, screen } from "@testing-library/react";
import { afterEach, expect, test, vi } from "vitest";
import { polled } from "@/lib/polled";
import type { Problem } from "@/lib/problem";
import { NOW } from "@/lib/stack/fixtures";
import { servicesQuery } from "@/lib/stack/queries";
import type { SnapshotFile } from "./format";
import { SnapshotQueries } from "./queries";
import { Snapshot } from "./snapshot";

afterEach(() => {
  cleanup();
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

function snapshotOf(answers: SnapshotFile["answers"], missing: SnapshotFile["missing"] = []) {
  const takenAt = new Date(NOW).toISOString();
  const head = { kind: "zr-snapshot", version: 1, environment: "shop", zr: "0.1.0" } as const;
  return new Snapshot({ ...head, takenAt, with: [], answers, missing });
}

const services = {
  namespace: "shop",
  kubernetes: { status: "ok", latencyMs: 1, reason: "" },
  services: [],
};

/** Says what a query has, and counts how often it was asked. */
function Shown({ options }: { options: ReturnType<typeof servicesQuery> }) {
  const { data, error } = useQuery(options);
  return <p>{data?.namespace ?? error?.message ?? "nothing yet"}</p>;
}

test("a query is answered by the file once, however often it would be asked, and nobody else is", async () => {
  vi.useFakeTimers({ now: NOW });
  const fetched = vi.fn();
  vi.stubGlobal("fetch", fetched);
  const asked = vi.fn();
  const plain = servicesQuery(undefined);
  const options = queryOptions({
    ...plain,
    ...polled(),
    queryFn: (context) => {
      asked();
      return plain.queryFn?.(context as never) as never;
    },
  });
  const client = new SnapshotQueries(snapshotOf({ "/api/v1/services": services }));
  client.mount();
  render(
    <QueryClientProvider client={client}>
      <Shown options={options as never} />
    </QueryClientProvider>,
  );
  await vi.waitFor(() => screen.getByText("shop"));
  await vi.advanceTimersByTimeAsync(3_600_000);
  window.dispatchEvent(new Event("visibilitychange"));
  window.dispatchEvent(new Event("online"));
  await vi.advanceTimersByTimeAsync(1_000);
  expect(asked).toHaveBeenCalledTimes(1);
  expect(fetched).not.toHaveBeenCalled();
  client.unmount();
});

test.each([
  [[], "It has no answer to /api/v1/services."],
  [
    [{ what: "x", path: "/api/v1/services", code: "api_error" as const, message: "\u202eaway" }],
    "⟨U+202E⟩away",
  ],
])("what the file does not have is told with its reason (%#)", async (missing, why) => {
  const client = new SnapshotQueries(snapshotOf({}, missing));
  render(
    <QueryClientProvider client={client}>
      <Shown options={servicesQuery(undefined)} />
    </QueryClientProvider>,
  );
  await screen.findByText(why);
});

test("what is none of the api's answers is not shown, however much is wrong with it", () => {
  const wrong = { ...services, services: Array.from({ length: 2_000 }, () => ({ name: 7 })) };
  const client = new SnapshotQueries(snapshotOf({ "/api/v1/services": wrong }));
  return expect(client.fetchQuery(servicesQuery(undefined))).rejects.toEqual({
    code: "not_in_snapshot",
    message: "What it has of /api/v1/services is nothing that version 1 of these files has.",
  } satisfies Problem);
});

/** Those that no snapshot shows: the frame's, those of what came since, and of the logs, of which it has a list. */
const OF_THE_API_ALONE = [
  "app/logs/_components/histogram.tsx",
  "app/logs/_components/line-detail.tsx",
  "components/frame/session-banner.tsx",
  "lib/missed.ts",
];

test("every other query asks through ask, so that no screen of a snapshot asks the api", () => {
  const project = join(import.meta.dirname, "..", "..");
  const files = ["app", "components", "lib"]
    .flatMap((folder) =>
      readdirSync(join(project, folder), { recursive: true, withFileTypes: true }),
    )
    .filter((entry) => entry.isFile() && /(?<!\.test)\.tsx?$/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((file) =>
      /queryFn:(?!\s*\(context(: \w+)?\)\s*=>\s*ask\()/.test(readFileSync(file, "utf8")),
    )
    .map((file) => relative(project, file))
    // Its query is one that checks a text, for who may change it.
    .filter((file) => file !== "app/configuration/query-options.ts");
  expect(files.sort()).toEqual(OF_THE_API_ALONE);
});
