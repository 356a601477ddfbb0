// @vitest-environment happy-dom
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { act, cleanup, fireEvent, render, screen, within } from "@testing-library/react";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { aDelivery, anAttached, anEvent, aSave } from "@/lib/dev/fixtures";
import type { Attached, Delivery, RunEvent, RunEvents } from "@/lib/dev/schema";
import { failed, type Outcome } from "@/lib/problem";
import { NOW } from "@/lib/stack/fixtures";
import { ReloadsClient } from "./client";
import { partOf } from "./part";

const { push, params } = vi.hoisted(() => ({ push: vi.fn(), params: { text: "" } }));
vi.mock("next/navigation", () => ({
  useRouter: () => ({ push }),
  useSearchParams: () => new URLSearchParams(params.text),
}));

/** What the api has besides saves, and the connection to it. */
let told: RunEvent[];
let next: string | undefined;
let socket: FakeSocket | undefined;

/** The browser's end of a connection; the test is the other one. */
class FakeSocket {
  onopen?: () => void;
  onmessage?: (event: { data: string }) => void;
  constructor() {
    socket = this;
  }
  close() {}
}

const refused = failed("not_logged_in", "this browser has no session of the api");
let refusal: typeof refused | undefined;

beforeEach(() => {
  vi.useFakeTimers({ now: NOW });
  told = [];
  next = undefined;
  refusal = undefined;
  params.text = "";
  vi.stubGlobal("WebSocket", FakeSocket);
  vi.stubGlobal("fetch", async (path: string) => {
    if (refusal) {
      return Response.json({ error: refusal.problem }, { status: 502 });
    }
    const { pathname, searchParams } = new URL(path, "http://localhost");
    if (pathname === "/api/v1/dev/events") {
      const types = searchParams.getAll("type");
      return Response.json({ events: told.filter(({ type }) => types.includes(type)), next });
    }
    return new Promise<Response>(() => {});
  });
});

afterEach(() => {
  cleanup();
  push.mockReset();
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

const good = <T,>(data: T): Outcome<T> => ({ ok: true, data });

interface Shown {
  query?: Record<string, string>;
  attached?: Attached[];
  saves?: Outcome<RunEvents>;
  metrics?: Outcome<Delivery>;
}

async function show({ query = {}, attached = [], saves, metrics }: Shown) {
  told.push(...(saves?.ok ? saves.data.events : []));
  render(
    <QueryClientProvider client={new QueryClient()}>
      <ReloadsClient
        part={partOf(query)}
        attached={saves?.ok === false ? saves : good({ attached })}
        saves={saves ?? good({ events: [] })}
        metrics={metrics ?? good(aDelivery())}
        renderedAt={NOW}
      />
    </QueryClientProvider>,
  );
  await act(() => vi.advanceTimersByTimeAsync(1));
}

/** Has the api tell something over the connection. */
const tell = (frame: object) =>
  act(async () => {
    socket?.onopen?.();
    socket?.onmessage?.({ data: JSON.stringify({ events: [], ...frame }) });
    await vi.advanceTimersByTimeAsync(1);
  });

test("a save is told with each of its steps, and how long it took in all", async () => {
  await show({ saves: good({ events: [aSave()] }) });
  const save = screen.getByTestId("save");
  expect(save.dataset.outcome).toBe("live");
  expect(save.textContent).toContain("apicmd/api/main.golive1 min ago");
  expect([...save.querySelectorAll("[data-step]")].map((step) => step.textContent)).toEqual([
    "noticed 10 ms",
    "built 300 ms",
    "sent 20 ms",
    "swapped 30 ms",
    "healthy 40 ms",
  ]);
  expect(within(save).getByRole("img").getAttribute("aria-label")).toBe("api: 400 ms in all");
});

test("what a compiler said opens in the editor, and says so where it cannot", async () => {
  const places = Array.from({ length: 5 }, (_, i) => ({
    file: "cmd/api/main.go",
    line: i + 12,
    column: i,
    message: "undefined: x",
  }));
  const error = "go build: exit status 1";
  await show({
    saves: good({
      events: [aSave({ error }, { places }), aSave({ error }, { places, folder: "" })],
    }),
  });
  const [unknown, known] = screen.getAllByTestId("save");
  expect(known?.dataset.outcome).toBe("failed");
  expect(
    screen.getAllByTitle("Open it in the editor").map((link) => link.getAttribute("href")),
  ).toEqual([
    "vscode://file/home/ana/shop/cmd/api/main.go:12:1",
    "vscode://file/home/ana/shop/cmd/api/main.go:13:1",
    "vscode://file/home/ana/shop/cmd/api/main.go:14:2",
  ]);
  expect(known?.textContent).toContain("and 2 more");
  expect(unknown?.querySelector("a[href^=vscode]")).toBeNull();
  expect(unknown?.textContent).toContain("cmd/api/main.go:12 undefined: x");
});

test("a version that was taken back says why, with its last lines and its logs", async () => {
  const error = "the last good version was put back: exit code 2\npanic: out of \u001b[31mwords";
  const save = aSave({ error, rolledBack: true, paths: ["a.go", "b.go", "c.go"] });
  params.text = `event=${save.id}`;
  await show({ saves: good({ events: [save] }) });
  expect(screen.getByTestId("save").dataset.outcome).toBe("rolledBack");
  const details = screen.getByTestId("save-details");
  expect(details.textContent).toContain("panic: out of ␛[31mwords");
  expect(within(details).getByText("What api wrote at that time").getAttribute("href")).toBe(
    "/logs?service=api&from=2026-11-22T20%3A58%3A58.000Z&to=2026-11-22T20%3A59%3A02.000Z",
  );
  expect([...details.querySelectorAll("[data-step]")]).toHaveLength(5);
});

test("which save is open is in the address", async () => {
  const pushState = vi.spyOn(history, "pushState");
  const save = aSave();
  await show({ saves: good({ events: [save] }) });
  fireEvent.click(screen.getByRole("button", { name: "Details of the save of api" }));
  expect(String(pushState.mock.calls[0]?.[2])).toContain(`event=${save.id}`);
});

test("a save is seen while it is made live, and once when it has ended", async () => {
  await show({ attached: [anAttached()], saves: good({ events: [] }) });
  expect(screen.getByTestId("no-saves")).toBeDefined();
  expect(screen.getByTestId("now").textContent).toBe("waits for a save");
  const since = new Date(NOW).toISOString();
  await tell({ attached: [anAttached({ now: [{ what: "api", state: "building", since }] })] });
  expect(screen.getByTestId("feed").dataset.status).toBe("live");
  expect(screen.getByTestId("going").textContent).toContain("apibuildingfor 0 s");
  expect(document.title).toBe("Working… · Reloads · zr");
  const save = aSave();
  await tell({ attached: [anAttached()], events: [save] });
  await tell({ events: [save] });
  expect(screen.queryByTestId("going")).toBeNull();
  expect(screen.getAllByTestId("save")).toHaveLength(1);
});

test("filters are an address, and what comes is of them", async () => {
  await show({ query: { service: "web", failed: "true" }, saves: good({ events: [] }) });
  expect(screen.getByTestId("no-saves").textContent).toBe("No save is like that.");
  const error = "no";
  await tell({
    events: [aSave({ error }), aSave({ service: "web" }), aSave({ service: "web", error })],
  });
  expect(screen.getAllByTestId("save")).toHaveLength(1);
  fireEvent.change(screen.getByLabelText("Service"), { target: { value: "" } });
  fireEvent.change(screen.getByRole("combobox", { name: "Saves" }), { target: { value: "" } });
  expect(push.mock.calls).toEqual([["/reloads?failed=true"], ["/reloads?service=web"]]);
  expect(screen.getByText("7 d", { selector: "a" }).getAttribute("href")).toBe(
    "/reloads?service=web&failed=true&window=7d",
  );
});

test("an older page does not change, and leads back", async () => {
  next = "three";
  await show({
    query: { cursor: "two", window: "1h" },
    saves: good({ events: [aSave()], next }),
  });
  await tell({ events: [aSave()] });
  expect(screen.getAllByTestId("save")).toHaveLength(1);
  expect(screen.getByText("Newest").getAttribute("href")).toBe("/reloads?window=1h");
  expect(screen.getByText("Older").getAttribute("href")).toBe("/reloads?window=1h&cursor=three");
});

test("a fault stands until it is cleared, or nobody is attached any more", async () => {
  told = [
    anEvent("problem", { source: "cluster", text: "it is gone" }, { run: "of yesterday" }),
    anEvent("problem", { source: "web", text: "was mended" }),
    anEvent("problem", { source: "web", cleared: true }),
    anEvent("problem", { source: "config/dev.yaml", text: "no field servces" }),
  ].toReversed();
  await show({ attached: [anAttached()] });
  expect(screen.getByTestId("problems").children).toHaveLength(1);
  expect(screen.getByTestId("problems").textContent).toBe("config/dev.yamlno field servces");
  await tell({ events: [anEvent("problem", { source: "config/dev.yaml", cleared: true })] });
  expect(screen.queryByTestId("problems")).toBeNull();
});

test("the times that the environment was brought up have their steps", async () => {
  const at = (ms: number) =>
    ({ at: new Date(NOW - 60_000 + ms).toISOString(), verb: "up" }) as const;
  told = [
    anEvent("step.started", { step: "images", title: "make images" }, at(0)),
    anEvent("step.done", { step: "images", took: 4e8, detail: "2 of 4" }, at(400)),
    anEvent("step.started", { step: "apply" }, at(400)),
    anEvent("step.failed", { step: "apply", took: 1e8, error: "no room" }, at(500)),
    anEvent("error", { error: "applying: no room", hint: "make some" }, at(500)),
    anEvent("step.started", { step: "images" }, { run: "R2" }),
  ].toReversed();
  await show({ attached: [anAttached({ run: "R2" })] });
  const [going, ended] = screen.getAllByTestId("run");
  expect(going?.dataset.ending).toBe("going");
  expect(ended?.dataset.ending).toBe("failed");
  expect(ended?.textContent).toContain("applying: no room");
  fireEvent.click(screen.getByRole("button", { name: "Steps of this zr up" }));
  const rows = within(ended as HTMLElement).getAllByRole("listitem");
  expect(rows.map(({ textContent }) => textContent)).toEqual([
    "images400 msmake images · 2 of 4",
    "apply100 msfailed: no room",
  ]);
});

test("metrics have figures, curves and a meaning, and make nothing up", async () => {
  const moment = { at: new Date(NOW - 600_000).toISOString(), changes: 4, failed: 1 };
  const reloads = {
    changes: 4,
    perHour: 4,
    failed: 1,
    rolledBack: 1,
    failureRate: 0.25,
    leadTime: { count: 3, medianMs: 820, p95Ms: 1_400 },
    timeToRestore: { count: 1, medianMs: 125_000, p95Ms: 125_000 },
    broken: 1,
    curve: [{ ...moment, leadTimeMedianMs: 820 }],
  };
  await show({ query: { window: "1h" }, metrics: good(aDelivery(reloads)) });
  const [saves, deploys] = screen.getAllByRole("region", { name: /over time/ });
  expect(saves?.textContent).toContain("4 saves4.0 in an hour");
  expect(saves?.textContent).toContain("820 ms95 % within 1.4 s");
  expect(saves?.textContent).toContain("25 %1 failed, 1 rolled back");
  expect(saves?.textContent).toContain("2 min95 % within 2 min · 1 not mended yet");
  const curves = within(saves as HTMLElement).getAllByTestId("curve");
  expect(curves.map((curve) => curve.getAttribute("aria-label"))).toEqual([
    "Saves over time: frequency, from 4 saves to 4 saves",
    "Saves over time: lead time, from 820 ms to 820 ms",
    "Saves over time: change failure rate, from 25 % to 25 %",
    "Saves over time: time to restore",
  ]);
  expect(curves[0]?.querySelector("rect")?.getAttribute("x")).toBe("10.1");
  expect(deploys?.textContent).toContain("0 deploys");
  expect(within(deploys as HTMLElement).getAllByText("Nothing yet")).toHaveLength(3);
});

test("who is not logged in is told how to, and what is kept is not asked for", async () => {
  refusal = refused;
  await show({ saves: refused, metrics: refused });
  expect(screen.getByTestId("problem").textContent).toContain("zr dashboard");
  expect(screen.getByTestId("feed").dataset.status).toBe("refused");
  expect(screen.queryByTestId("metrics")).toBeNull();
});

test("without the database who is attached is told all the same", async () => {
  const away = failed("api_error", "503: the database does not answer");
  refusal = away as never;
  render(
    <QueryClientProvider client={new QueryClient()}>
      <ReloadsClient
        part={partOf({})}
        attached={good({ attached: [anAttached()] })}
        saves={away}
        metrics={away}
        renderedAt={NOW}
      />
    </QueryClientProvider>,
  );
  await act(() => vi.advanceTimersByTimeAsync(1));
  expect(screen.getByTestId("problem").textContent).toContain("database does not answer");
  expect(screen.getByTestId("attached").textContent).toContain("ana on laptop");
  expect(screen.getByTestId("feed").dataset.status).toBe("away");
});

test("where nobody is attached, the command is there to be copied", async () => {
  await show({});
  expect(screen.getByTestId("nobody-attached").textContent).toContain("zr dev");
  expect(screen.getByTestId("no-runs")).toBeDefined();
});

test("another editor is chosen, also one that is not listed", async () => {
  localStorage.clear();
  await show({ saves: good({ events: [aSave({ error: "no" }, { places: [aPlace] })] }) });
  const href = () => screen.getByTitle("Open it in the editor").getAttribute("href");
  fireEvent.change(screen.getByLabelText("Files open in"), {
    target: { value: "zed://file{path}:{line}:{column}" },
  });
  expect(href()).toBe("zed://file/home/ana/shop/a.go:7:1");
  fireEvent.change(screen.getByLabelText("Files open in"), { target: { value: "other" } });
  const input = screen.getByLabelText("Address");
  fireEvent.change(input, { target: { value: "javascript:{path}" } });
  const use = screen.getByRole<HTMLButtonElement>("button", { name: "Use it" });
  expect(use.disabled).toBe(true);
  fireEvent.change(input, { target: { value: "emacs://open?file={path}" } });
  fireEvent.click(use);
  expect(href()).toBe("emacs://open?file=/home/ana/shop/a.go");
  expect(screen.getByRole("button", { name: "Change" })).toBeDefined();
  localStorage.clear();
});

const aPlace = { file: "a.go", line: 7, column: 0, message: "no" };

test.each([
  [{}, { window: "24h", failed: false }],
  [
    { window: "1y", failed: "no", service: "" },
    { window: "24h", failed: false },
  ],
  [
    { window: "7d", failed: "true", service: "api", cursor: "c", environment: "dev" },
    { window: "7d", failed: true, service: "api", cursor: "c", environment: "dev" },
  ],
])("the address %o is read", (query, part) => {
  expect(partOf(query)).toEqual(part);
});
