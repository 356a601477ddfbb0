// @vitest-environment happy-dom
import { afterEach, beforeEach, expect, onTestFinished, test, vi } from "vitest";
import type { Problem } from "@/lib/problem";
import { type Feed, KEPT, LogFeed } from "./feed";
import { aLine } from "./fixtures";
import type { Line } from "./schema";
import { parseState } from "./search-params";

/** What is stored, the oldest first, and what the dashboard's own server was asked for. */
let stored: Line[];
let asked: URLSearchParams[];
let refusal: Problem | undefined;
let sockets: FakeSocket[];

/** The browser's end of a connection; the test is the other one. */
class FakeSocket {
  onopen?: () => void;
  onmessage?: (event: { data: string }) => void;
  onclose?: (event: { code: number }) => void;
  closed = false;
  constructor(readonly url: URL) {
    sockets.push(this);
  }
  close() {
    this.closed = true;
  }
  send(...lines: Line[]) {
    this.onmessage?.({ data: JSON.stringify(lines) });
  }
}

beforeEach(() => {
  stored = Array.from({ length: 3 }, (_, i) => aLine({ id: String(i + 1) }));
  asked = [];
  sockets = [];
  refusal = undefined;
  vi.stubGlobal("WebSocket", FakeSocket);
  vi.stubGlobal("requestAnimationFrame", (run: () => void) => setTimeout(run, 0));
  vi.stubGlobal("fetch", async (path: string) => {
    if (refusal) {
      return Response.json({ error: refusal }, { status: 502 });
    }
    const query = new URL(path, "http://localhost").searchParams;
    asked.push(query);
    return Response.json(answer(query));
  });
});

afterEach(() => {
  vi.unstubAllGlobals();
});

/** A page of what is stored; the cursor is how many were handed out. */
function answer(query: URLSearchParams) {
  const begin = Number(query.get("cursor") ?? 0);
  const end = begin + Number(query.get("limit"));
  const from = query.get("from") ?? "";
  const found =
    query.get("order") === "oldest"
      ? stored.filter(({ time }) => time >= from)
      : stored.toReversed();
  return {
    lines: found.slice(begin, end),
    complete: true,
    ...(end < found.length && { next: String(end) }),
  };
}

/** A feed of an address, begun, and its first connection where it has one. */
async function follow(query = "") {
  const feed = new LogFeed(parseState(new URLSearchParams(query)));
  onTestFinished(() => feed.stop());
  await feed.start();
  const [socket] = sockets;
  socket?.onopen?.();
  return { feed, socket };
}

const ids = (feed: LogFeed) => feed.snapshot().lines.map(({ id }) => id);
const until = (feed: LogFeed, is: (now: Feed) => boolean) =>
  vi.waitUntil(() => is(feed.snapshot()), { timeout: 20_000 });

test("stored lines come first, then those that are written, each once", async () => {
  const { feed, socket } = await follow("service=api");
  expect(ids(feed)).toEqual(["1", "2", "3"]);
  expect(socket?.url.href).toMatch(/^ws:.*\/api\/v1\/logs\/live\?service=api&after=3$/);
  expect(feed.snapshot().status).toBe("live");
  socket?.send(aLine({ id: "3" }), aLine({ id: "4" }));
  await until(feed, ({ lines }) => lines.length === 4);
  expect(ids(feed)).toEqual(["1", "2", "3", "4"]);
});

test("it is live only once the connection is open", async () => {
  const feed = new LogFeed(parseState(new URLSearchParams()));
  await feed.start();
  expect(feed.snapshot().status).toBe("loading");
  sockets[0]?.onopen?.();
  expect(feed.snapshot().status).toBe("live");
  feed.stop();
  expect(sockets[0]?.closed).toBe(true);
});

test("the newest line of all is where it goes on, not the newest that the filter finds", async () => {
  await follow("text=rare");
  expect(asked[0]?.get("text")).toBeNull();
  expect(asked[1]?.get("text")).toBe("rare");
});

test("lines that come while it is held still wait, and are counted", async () => {
  const { feed, socket } = await follow();
  feed.pause();
  socket?.send(aLine({ id: "4" }), aLine({ id: "5" }));
  await until(feed, ({ held }) => held === 2);
  expect(ids(feed)).toEqual(["1", "2", "3"]);
  feed.resume();
  expect(feed.snapshot().held).toBe(0);
  await until(feed, ({ lines }) => lines.length === 5);
});

test("of too many that wait the oldest are a line that says how many", async () => {
  const { feed, socket } = await follow();
  feed.pause();
  const many = Array.from({ length: KEPT + 5_000 }, (_, i) => aLine({ id: String(i + 4) }));
  socket?.send(...many);
  feed.resume();
  await until(feed, ({ lines }) => lines.length > KEPT);
  const received = feed.snapshot().lines.filter(({ id }) => Number(id) > 3);
  const shown = received.reduce((sum, { skipped }) => sum + (skipped ?? 1), 0);
  expect(shown).toBe(many.length);
  expect(received.find(({ skipped }) => skipped)?.skipped).toBe(5_000);
});

test("older lines are read page by page, before the others", async () => {
  stored = Array.from({ length: 1_200 }, (_, i) => aLine({ id: String(i + 1) }));
  const { feed } = await follow();
  expect(feed.snapshot()).toMatchObject({ older: "more" });
  await feed.loadOlder();
  await feed.loadOlder();
  expect(feed.snapshot()).toMatchObject({ older: "none" });
  expect(ids(feed)).toEqual(stored.map(({ id }) => id));
});

test("lines that were let go of can be read again, by their time", async () => {
  const { feed, socket } = await follow();
  const many = Array.from({ length: KEPT + 3_000 }, (_, i) =>
    aLine({ id: String(i + 4), time: new Date(1e12 + i).toISOString() }),
  );
  socket?.send(...many);
  await until(feed, ({ lines }) => lines.length === KEPT);
  const [first] = feed.snapshot().lines;
  expect(feed.snapshot().older).toBe("more");
  await feed.loadOlder();
  expect(asked.at(-1)?.get("to")).toBe(first?.time);
});

test("who reads far back has newer lines let go of, which are read again, and then the newest", async () => {
  const at = (n: number) => aLine({ id: String(n), time: new Date(1e12 + n).toISOString() });
  stored = Array.from({ length: KEPT + 4_000 }, (_, i) => at(i + 1));
  const { feed, socket } = await follow();
  feed.pause();
  while (feed.snapshot().newer === "none") {
    await feed.loadOlder();
  }
  expect(feed.snapshot().lines).toHaveLength(KEPT);
  const last = feed.snapshot().lines.at(-1);
  socket?.send(at(90_000));
  await until(feed, ({ held }) => held === 1);
  await feed.loadNewer();
  expect(asked.at(-1)?.get("order")).toBe("oldest");
  expect(asked.at(-1)?.get("from")).toBe(last?.time);
  while (feed.snapshot().newer === "more") {
    await feed.loadNewer();
  }
  expect(feed.snapshot().lines.length).toBeLessThan(KEPT + 4_000);
  expect(ids(feed)).toEqual(
    stored.slice(stored.length - feed.snapshot().lines.length).map(({ id }) => id),
  );
  feed.resume();
  await until(feed, ({ lines }) => lines.length === 500 && lines.at(-1)?.id === stored.at(-1)?.id);
});

test("all that came is counted, also what is missing", async () => {
  const { feed, socket } = await follow();
  socket?.send(aLine({ id: "4" }), aLine({ id: "5", skipped: 1_200 }));
  await until(feed, ({ received }) => received === 1_201);
});

test("a connection that breaks goes on after the last line", async () => {
  const { feed, socket } = await follow();
  socket?.send(aLine({ id: "9" }));
  socket?.onclose?.({ code: 1006 });
  expect(feed.snapshot().status).toBe("away");
  await vi.waitUntil(() => sockets.length === 2, { timeout: 20_000 });
  expect(sockets[1]?.url.searchParams.get("after")).toBe("9");
});

test("what wants to go on from too long ago begins anew", async () => {
  const { feed, socket } = await follow();
  stored = [aLine({ id: "70" })];
  socket?.onclose?.({ code: 4010 });
  await until(feed, ({ lines }) => lines[0]?.id === "70");
  await vi.waitUntil(() => sockets.length === 2, { timeout: 20_000 });
});

test("a time that is over is not followed", async () => {
  const { feed, socket } = await follow("to=2026-01-02T03:04:05Z");
  expect(feed.snapshot().status).toBe("past");
  expect(socket).toBeUndefined();
});

test("what cannot be read says why, and is tried again", async () => {
  refusal = { code: "api_error", message: "the database does not answer" };
  const { feed } = await follow();
  expect(feed.snapshot().problem?.code).toBe("api_error");
  refusal = undefined;
  await until(feed, ({ lines }) => lines.length === 3);
  await vi.waitUntil(() => sockets.length === 1, { timeout: 20_000 });
  sockets[0]?.onopen?.();
  expect(feed.snapshot().problem).toBeUndefined();
});

test("what was refused goes on under another session, with the lines that are there", async () => {
  const { feed } = await follow();
  refusal = { code: "not_logged_in", message: "401" };
  sockets[0]?.onclose?.({ code: 1006 });
  await until(feed, ({ problem }) => problem?.code === "not_logged_in");
  refusal = undefined;
  feed.renew();
  expect(feed.snapshot().problem).toBeUndefined();
  await vi.waitUntil(() => sockets.length === 2, { timeout: 20_000 });
  expect(sockets[1]?.url.searchParams.get("after")).toBe("3");
  expect(feed.snapshot().lines).toHaveLength(3);
});
