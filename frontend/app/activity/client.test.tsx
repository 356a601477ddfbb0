// @vitest-environment happy-dom
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { act, cleanup, fireEvent, render, screen, within } from "@testing-library/react";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { POLL_MS } from "@/lib/freshness";
import { failed, type Outcome } from "@/lib/problem";
import { NOW } from "@/lib/stack/fixtures";
import { ActivityClient } from "./client";
import type { Activity, AuditRecord } from "./schema";
import { type ActivityPart, partOf, placeOf } from "./search-params";

const push = vi.hoisted(() => vi.fn());
vi.mock("next/navigation", () => ({ useRouter: () => ({ push }) }));

const refused = failed("not_logged_in", "reading /api/v1/activity: 401");
const fetched = vi.fn();

beforeEach(() => {
  vi.useFakeTimers({ now: NOW });
  fetched.mockReset();
  fetched.mockImplementation(async () =>
    Response.json({ error: refused.problem }, { status: 401 }),
  );
  vi.stubGlobal("fetch", fetched);
});

afterEach(() => {
  cleanup();
  push.mockReset();
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

function show(query: Record<string, string>, activity: Outcome<Activity>) {
  const client = new QueryClient({ defaultOptions: { queries: { networkMode: "always" } } });
  render(
    <QueryClientProvider client={client}>
      <ActivityClient part={partOf(query)} activity={activity} renderedAt={NOW} />
    </QueryClientProvider>,
  );
}

function aRecord(rest: Partial<AuditRecord> = {}): AuditRecord {
  return {
    id: 1,
    at: new Date(NOW - 60_000).toISOString(),
    actor: "ana",
    action: "logIn",
    target: "operator",
    outcome: "done",
    detail: "",
    ...rest,
  };
}

test("records say who did what, to what, and how it ended", () => {
  const records = [
    aRecord({ id: 2, action: "GET", target: "/x", outcome: "refused", detail: "not for viewers" }),
    aRecord(),
  ];
  show({}, { ok: true, data: { records } });
  const items = [...screen.getByTestId("records").children].map((item) => item.textContent);
  expect(items).toEqual([
    "anaGET/xrefused1 min agonot for viewers",
    "analog inoperatordone1 min ago",
  ]);
});

test("an outcome is chosen by address, and pages keep it", () => {
  show({ outcome: "refused", cursor: "two" }, { ok: true, data: { records: [], next: "three" } });
  expect(screen.getByText(/Nothing is recorded/)).toBeDefined();
  const pages = within(screen.getByRole("navigation", { name: "Pages" }));
  const links = pages.getAllByRole("link").map((link) => link.getAttribute("href"));
  expect(links).toEqual(["/activity?outcome=refused", "/activity?outcome=refused&cursor=three"]);
  fireEvent.change(screen.getByLabelText("Outcome"), { target: { value: "failed" } });
  expect(push).toHaveBeenCalledExactlyOnceWith("/activity?outcome=failed");
});

test("who is not logged in is told how to, and asks again only by hand", async () => {
  show({}, refused);
  await act(() => vi.advanceTimersByTimeAsync(5 * POLL_MS));
  expect(screen.getByTestId("problem").textContent).toContain("zr dashboard");
  expect(fetched).toHaveBeenCalledTimes(1);
  fetched.mockImplementation(async () => Response.json({ records: [aRecord()] }));
  fireEvent.click(screen.getByText("Try now"));
  await act(() => vi.advanceTimersByTimeAsync(1));
  expect(screen.getByTestId("records").children).toHaveLength(1);
});

test("what a record says is a filter, and each is left again", () => {
  const records = [aRecord({ action: "changeSettings", target: "dev/settings" })];
  show({ actor: "ana", outcome: "done" }, { ok: true, data: { records } });
  const href = (name: string) => screen.getByRole("link", { name }).getAttribute("href");
  expect(href("change settings")).toBe("/activity?actor=ana&action=changeSettings&outcome=done");
  expect(href("dev/settings")).toBe("/activity?actor=ana&target=dev%2Fsettings&outcome=done");
  expect(href("Without the filter ana")).toBe("/activity?outcome=done");
});

test("an export has all records that the filter finds, page by page", async () => {
  const files: Blob[] = [];
  vi.stubGlobal("URL", Object.assign(URL, { createObjectURL: (blob: Blob) => files.push(blob) }));
  vi.spyOn(HTMLAnchorElement.prototype, "click").mockImplementation(() => {});
  fetched.mockImplementation(async (path: string) =>
    path.includes("limit=500")
      ? Response.json(
          path.includes("cursor=two")
            ? { records: [aRecord({ id: 1 })] }
            : { records: [aRecord({ id: 2 })], next: "two" },
        )
      : Response.json({ records: [aRecord()] }),
  );
  show({ actor: "ana" }, { ok: true, data: { records: [aRecord()] } });
  fireEvent.click(screen.getByText("Export"));
  await act(() => vi.advanceTimersByTimeAsync(1));
  const lines = (await files[0]?.text())?.trimEnd().split("\n") ?? [];
  expect(lines.map((line) => JSON.parse(line).id)).toEqual([2, 1]);
  const asked = fetched.mock.calls.map(([path]) => path).filter((path) => path.includes("500"));
  expect(asked).toEqual([
    "/api/v1/activity?limit=500&actor=ana",
    "/api/v1/activity?limit=500&actor=ana&cursor=two",
  ]);
});

test("an export that fails says why", async () => {
  show({}, { ok: true, data: { records: [] } });
  fireEvent.click(screen.getByText("Export"));
  await act(() => vi.advanceTimersByTimeAsync(1));
  expect(screen.getByText(/^Not exported: reading/)).toBeDefined();
});

test.each<ActivityPart>([
  {},
  { actor: "ana & co", action: "changeSettings", target: "dev/settings", outcome: "failed" },
  { cursor: "MTI", outcome: "done" },
])("%o is an address, and is read from it again", (part) => {
  const { searchParams } = new URL(placeOf(part), "http://localhost");
  expect(partOf(Object.fromEntries(searchParams))).toEqual(part);
});
