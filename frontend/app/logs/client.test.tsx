// @vitest-environment happy-dom
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { cleanup, fireEvent, render, screen } from "@testing-library/react";
import { useSyncExternalStore } from "react";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { Problem } from "@/lib/problem";
import { aService } from "@/lib/stack/fixtures";
import { LogsClient } from "./client";
import { aLine } from "./fixtures";
import type { Line } from "./schema";

// The address as Next.js hands it out, which history.pushState changes.
vi.mock("next/navigation", () => ({
  useSearchParams: () => new URLSearchParams(useSyncExternalStore(onAddress, address)),
}));
const listeners = new Set<() => void>();
const onAddress = (listener: () => void) => {
  listeners.add(listener);
  return () => listeners.delete(listener);
};
const address = () => location.search;

const push = window.history.pushState.bind(window.history);
window.history.pushState = (...given) => {
  push(...given);
  for (const listener of listeners) {
    listener();
  }
};

// What is not laid out has no size, and of a list without one nothing is seen.
Object.defineProperties(HTMLElement.prototype, {
  clientHeight: { get: () => 600 },
  offsetHeight: { get: () => 20 },
});

let lines: Line[];
let refusal: Problem | undefined;
let asked: URL[];
let live: FakeSocket | undefined;

class FakeSocket {
  onopen?: () => void;
  onmessage?: (event: { data: string }) => void;
  onclose?: (event: { code: number }) => void;
  constructor() {
    live = this;
    setTimeout(() => this.onopen?.(), 0);
  }
  close() {}
}

/** The services that there are. */
let names: string[];

beforeEach(() => {
  names = ["api", "redis"];
  lines = [aLine({ id: "1" }), aLine({ id: "2", service: "redis", message: "saved" })];
  refusal = undefined;
  asked = [];
  live = undefined;
  window.history.replaceState(null, "", "/logs");
  vi.stubGlobal("WebSocket", FakeSocket);
  vi.stubGlobal("fetch", async (path: string) => {
    const url = new URL(path, "http://localhost");
    asked.push(url);
    if (url.pathname === "/api/v1/services") {
      const services = names.map((name) => aService({ name }));
      return Response.json({
        namespace: "zr-test",
        kubernetes: { status: "ok", latencyMs: 1 },
        services,
      });
    }
    if (refusal) {
      return Response.json({ error: refusal }, { status: 401 });
    }
    if (url.pathname === "/api/v1/logs/counts") {
      const at = new Date().toISOString();
      return Response.json({ counts: [{ at, level: "error", lines: 3 }] });
    }
    return Response.json({ lines: lines.toReversed(), complete: true });
  });
});

afterEach(() => {
  cleanup();
  listeners.clear();
  vi.unstubAllGlobals();
});

function show(query = "") {
  window.history.replaceState(null, "", `/logs${query}`);
  render(
    <QueryClientProvider client={new QueryClient()}>
      <LogsClient renderedAt={Date.now()} />
    </QueryClientProvider>,
  );
}

const messages = () => screen.getAllByTestId("line").map((line) => line.textContent);

test("stored lines are shown, and lines that come after them", async () => {
  show();
  await screen.findByText("saved");
  await screen.findByText("Live");
  live?.onmessage?.({ data: JSON.stringify([aLine({ id: "3", message: "just now" })]) });
  await screen.findByText("just now");
  expect(messages()).toHaveLength(3);
});

test("the address says what is asked for, and a filter is an address", async () => {
  show("?service=api&level=error");
  await screen.findByText("saved");
  const search = asked.findLast(({ pathname }) => pathname === "/api/v1/logs");
  expect(search?.searchParams.getAll("service")).toEqual(["api"]);
  fireEvent.change(screen.getByLabelText("Text of the line"), { target: { value: "a+b" } });
  fireEvent.click(screen.getByLabelText("Regular expression"));
  fireEvent.submit(screen.getByLabelText("Text of the line"));
  expect(location.search).toBe("?service=api&level=error&regexp=a%2Bb");
  await vi.waitUntil(() => asked.some((url) => url.searchParams.get("regexp") === "a+b"));
  fireEvent.click(screen.getByLabelText("api"));
  expect(location.search).toBe("?level=error&regexp=a%2Bb");
});

test("services are chosen together", async () => {
  show();
  fireEvent.click(await screen.findByLabelText("redis"));
  fireEvent.click(await screen.findByLabelText("api"));
  expect(location.search).toBe("?service=redis&service=api");
});

test("held still, lines that come are counted", async () => {
  show();
  await screen.findByText("Live");
  fireEvent.click(screen.getByTestId("hold"));
  expect(screen.getByText("Paused")).toBeDefined();
  live?.onmessage?.({ data: JSON.stringify([aLine({ id: "3", message: "just now" })]) });
  fireEvent.click(await screen.findByText("1 new line"));
  await screen.findByText("just now");
});

test("a bar is zoomed into", async () => {
  show();
  const bar = await screen.findByRole("button", { name: /3 errors/ });
  fireEvent.click(bar);
  expect(new URLSearchParams(location.search).get("to")).toBeTruthy();
  await screen.findByText("Not following");
});

test("a connection that breaks is told", async () => {
  show();
  await screen.findByText("Live");
  live?.onclose?.({ code: 1006 });
  await screen.findByText("Interrupted, trying again");
});

test("a filter that nothing is like is taken back in one step", async () => {
  lines = [];
  show("?text=nothing");
  await screen.findByTestId("no-lines");
  fireEvent.click(screen.getByText("Show all lines"));
  expect(location.pathname + location.search).toBe("/logs");
});

test("who is not logged in is told how to", async () => {
  refusal = { code: "not_logged_in", message: "log in first" };
  show();
  await screen.findByText("zr dashboard");
  expect(live).toBeUndefined();
});

test("of many services some are chosen from a list, and taken back one by one", async () => {
  names = Array.from({ length: 9 }, (_, i) => `s${i}`);
  show("?service=s3");
  await screen.findByText("1 of 9 services");
  fireEvent.click(screen.getByRole("button", { name: "Without s3" }));
  expect(location.search).toBe("");
});
