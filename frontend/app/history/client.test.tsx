// @vitest-environment happy-dom
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { cleanup, fireEvent, render, screen } from "@testing-library/react";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { failed, type Outcome } from "@/lib/problem";
import { aChange, aService, NOW } from "@/lib/stack/fixtures";
import type { History, Services } from "@/lib/stack/schema";
import { HistoryClient } from "./client";
import { partOf } from "./part";

const push = vi.hoisted(() => vi.fn());
vi.mock("next/navigation", () => ({ useRouter: () => ({ push }) }));

beforeEach(() => {
  vi.useFakeTimers({ now: NOW });
  // What the server found is all that there is to see.
  vi.stubGlobal("fetch", () => new Promise(() => {}));
});

afterEach(() => {
  cleanup();
  push.mockReset();
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

const stack: Outcome<Services> = {
  ok: true,
  data: {
    namespace: "zr-test",
    kubernetes: { status: "ok", latencyMs: 1, reason: "" },
    services: [aService(), aService({ name: "redis" })],
  },
};

function show(query: Record<string, string>, history: Outcome<History>) {
  render(
    <QueryClientProvider client={new QueryClient()}>
      <HistoryClient part={partOf(query)} services={stack} history={history} renderedAt={NOW} />
    </QueryClientProvider>,
  );
}

function page(next?: string): Outcome<History> {
  return { ok: true, data: { events: [aChange()], next } };
}

const links = () =>
  screen.queryAllByRole("link").map((link) => `${link.textContent}: ${link.getAttribute("href")}`);

test("all that there is takes one page", () => {
  show({}, page());
  expect(screen.getByTestId("history").children).toHaveLength(1);
  expect(screen.getByRole("heading", { level: 2 }).textContent).toBe("Changes of all services");
  expect(links()).toEqual([]);
  expect(document.title).toBe("History · zr");
});

test("pages are addresses, which keep the service", () => {
  show({ service: "api", cursor: "two" }, page("three"));
  expect(screen.getByRole("heading", { level: 2 }).textContent).toBe("Changes of api");
  expect(links()).toEqual([
    "Newest: /history?service=api",
    "Older: /history?service=api&cursor=three",
  ]);
});

test("a service is chosen by its name, also one that is gone", () => {
  show({ service: "old" }, page());
  const choice = screen.getByLabelText<HTMLSelectElement>("Service");
  expect(choice.value).toBe("old");
  expect([...choice.options].map(({ text }) => text)).toEqual([
    "All services",
    "old",
    "api",
    "redis",
  ]);
  fireEvent.change(choice, { target: { value: "redis" } });
  expect(push).toHaveBeenCalledExactlyOnceWith("/history?service=redis");
});

test("no change at all is said", () => {
  show({}, { ok: true, data: { events: [] } });
  expect(screen.getByText(/Nothing has changed yet/)).toBeDefined();
});

test("a history that cannot be read says why", () => {
  show({}, failed("api_error", "503: the database does not answer"));
  expect(screen.getByTestId("problem").textContent).toContain("database does not answer");
});
