// @vitest-environment happy-dom
import { afterEach, beforeEach, expect, onTestFinished, test, vi } from "vitest";
import type { Problem } from "@/lib/problem";
import { DevFeed } from "./feed";
import { anAttached, anEvent } from "./fixtures";
import type { RunEvent } from "./schema";

/** The newest event that is stored, what is refused, and the connections that were made. */
let stored: RunEvent[];
let refusal: Problem | undefined;
let sockets: FakeSocket[];

/** The browser's end of a connection; the test is the other one. */
class FakeSocket {
  onopen?: () => void;
  onmessage?: (event: { data: string }) => void;
  onclose?: () => void;
  closed = false;
  constructor(readonly url: URL) {
    sockets.push(this);
  }
  close() {
    this.closed = true;
  }
  send(frame: object) {
    this.onmessage?.({ data: JSON.stringify(frame) });
  }
}

beforeEach(() => {
  stored = [];
  refusal = undefined;
  sockets = [];
  vi.stubGlobal("WebSocket", FakeSocket);
  vi.stubGlobal("fetch", async () =>
    refusal
      ? Response.json({ error: refusal }, { status: 502 })
      : Response.json({ events: stored.slice(0, 1) }),
  );
});

afterEach(() => vi.unstubAllGlobals());

function follow(environment?: string) {
  const onAttached = vi.fn();
  const onBegin = vi.fn();
  const feed = new DevFeed(environment, onAttached, onBegin);
  onTestFinished(() => feed.stop());
  feed.start();
  return { feed, onAttached, onBegin };
}

/** The connection of a number, once it is there. */
async function connection(n: number): Promise<FakeSocket> {
  await vi.waitUntil(() => sockets.length > n, { timeout: 20_000 });
  return sockets[n] as FakeSocket;
}

test("it goes on after the newest event, and tells what comes and who is attached", async () => {
  const before = anEvent("ready", {});
  stored = [before];
  const { feed, onAttached, onBegin } = follow("dev");
  const socket = await connection(0);
  expect(`${socket.url.protocol}${socket.url.pathname}${socket.url.search}`).toBe(
    `ws:/api/v1/dev/live?environment=dev&after=${before.id}`,
  );
  expect(onBegin).not.toHaveBeenCalled();
  socket.onopen?.();
  expect(onBegin).toHaveBeenCalledOnce();
  socket.send({ attached: [anAttached()], events: [] });
  expect(onAttached).toHaveBeenCalledExactlyOnceWith([anAttached()]);
  const [one, two] = [anEvent("ready", {}), anEvent("ready", {})];
  socket.send({ events: [one, two] });
  expect(feed.snapshot()).toEqual({ status: "live", events: [two, one] });
  socket.send({ events: [{ id: "not understood" }] });
  expect(feed.snapshot().events).toEqual([two, one]);
});

test("a connection that breaks goes on after the last event that it had", async () => {
  const { feed, onBegin } = follow();
  const socket = await connection(0);
  expect(socket.url.searchParams.get("after")).toBe("0");
  socket.onopen?.();
  const event = anEvent("ready", {});
  socket.send({ events: [event] });
  stored = [anEvent("ready", {})]; // which came while nobody listened
  socket.onclose?.();
  expect(feed.snapshot().status).toBe("away");
  const next = await connection(1);
  expect(next.url.searchParams.get("after")).toBe(String(event.id));
  next.onopen?.();
  expect(feed.snapshot().status).toBe("live");
  expect(onBegin).toHaveBeenCalledOnce();
});

test("a database that is away is asked again, and who is not logged in is not", async () => {
  refusal = { code: "api_error", message: "503" };
  const { feed } = follow();
  await vi.waitUntil(() => feed.snapshot().status === "away", { timeout: 20_000 });
  refusal = undefined;
  (await connection(0)).onopen?.();
  expect(feed.snapshot().status).toBe("live");

  refusal = { code: "not_logged_in", message: "401" };
  const { feed: other } = follow();
  await vi.waitUntil(() => other.snapshot().status === "refused", { timeout: 20_000 });
  expect(sockets).toHaveLength(1);

  refusal = undefined;
  feed.renew();
  other.renew();
  (await connection(1)).onopen?.();
  expect(other.snapshot().status).toBe("live");
  expect(sockets).toHaveLength(2);
});

test("one that is stopped leaves", async () => {
  const { feed } = follow();
  const socket = await connection(0);
  feed.stop();
  expect(socket.closed).toBe(true);
  socket.onclose?.();
  expect(feed.snapshot().status).toBe("connecting");
});
