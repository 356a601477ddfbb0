// @vitest-environment happy-dom
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { cleanup, render, screen } from "@testing-library/react";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { anAttached } from "@/lib/dev/fixtures";
import type { Attached } from "@/lib/dev/schema";
import { NOW } from "@/lib/stack/fixtures";
import { DevLine } from "./dev-line";

/** Who is attached; nobody may be asked about where there is none. */
let attached: Attached[] | undefined;
let opened: string[];

beforeEach(() => {
  opened = [];
  vi.stubGlobal(
    "WebSocket",
    class {
      constructor(url: URL) {
        opened.push(url.pathname);
      }
      close() {}
    },
  );
  vi.stubGlobal("fetch", async (path: string) => {
    if (!attached) {
      return Response.json({ error: { code: "not_logged_in", message: "" } }, { status: 401 });
    }
    return Response.json(path.startsWith("/api/v1/dev/events") ? { events: [] } : { attached });
  });
});

afterEach(() => {
  cleanup();
  vi.unstubAllGlobals();
});

async function show() {
  const client = new QueryClient();
  render(
    <QueryClientProvider client={client}>
      <DevLine environment={undefined} now={NOW} />
    </QueryClientProvider>,
  );
  await vi.waitUntil(() => !client.isFetching());
}

test("who is attached and what he does is told, and followed", async () => {
  const since = new Date(NOW - 3_000).toISOString();
  attached = [
    anAttached({ now: [{ what: "api", state: "building", since }] }),
    anAttached({ run: "R2", verb: "up", user: "ben", machine: "" }),
  ];
  await show();
  const [first, second] = await screen.findAllByText(/^zr/);
  expect(first?.closest("p")?.textContent).toBe("zr dev of ana on laptop builds api, for 3 s");
  expect(first?.getAttribute("href")).toBe("/reloads");
  expect(second?.closest("p")?.textContent).toContain("ben on a machine without a name");
  await vi.waitUntil(() => opened.length > 0);
  expect(opened).toEqual(["/api/v1/dev/live"]);
});

test.each([
  ["nobody is attached", []],
  ["one is not logged in", undefined],
])("where %s, nothing is told, and nothing is followed", async (_, who) => {
  attached = who;
  await show();
  expect(screen.queryByTestId("dev-line")).toBeNull();
  expect(opened).toEqual([]);
});
