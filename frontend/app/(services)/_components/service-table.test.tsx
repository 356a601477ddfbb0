// @vitest-environment happy-dom
import { cleanup, fireEvent, render, screen, within } from "@testing-library/react";
import { afterEach, expect, test, vi } from "vitest";
import { stateLook } from "@/components/state";
import { anOverview, aPast, aService, NOW } from "@/lib/stack/fixtures";
import { states } from "@/lib/stack/schema";
import { ServiceTable } from "./service-table";

const { push, ask } = vi.hoisted(() => ({ push: vi.fn(), ask: vi.fn() }));
vi.mock("next/navigation", () => ({ useRouter: () => ({ push }) }));
vi.mock("@/components/actions/actions", () => ({ useActions: () => ask }));

afterEach(() => {
  cleanup();
  vi.clearAllMocks();
});

function show(...services: ReturnType<typeof aService>[]) {
  render(<ServiceTable services={services} now={NOW} known />);
}

test.each(states)("%s is said by a word, an icon and data-state", (state) => {
  show(aService({ state }));
  const row = screen.getByTestId("service-api");
  expect(row.dataset.state).toBe(state);
  const label = within(row).getByText(stateLook[state].label);
  expect(label.querySelector("svg")?.getAttribute("aria-hidden")).toBe("true");
});

test("no two states look the same", () => {
  const shapes = states.map((state) => {
    const { Icon } = stateLook[state];
    const { container } = render(<Icon />);
    return container.innerHTML;
  });
  expect(new Set(shapes).size).toBe(states.length);
});

test("a healthy service shows its figures and no reason", () => {
  show(aService({ restarts: 2, measured: { status: "ok", latencyMs: 0.73, reason: "" } }));
  const row = screen.getByTestId("service-api");
  expect(within(row).getByRole("rowheader").textContent).toContain("Deployment · api@c2d9e8134f60");
  const cells = within(row).getAllByRole("cell");
  expect(cells.map((cell) => cell.textContent)).toEqual([
    "Healthyup 1 h",
    "–none",
    "1/1",
    "2",
    "0.7 ms",
    "–none",
    "–none",
    "8d1f62c0",
    "1 h",
    "⋯",
  ]);
  expect(screen.queryByTestId("reason")).toBeNull();
});

test("an unhealthy service says why", () => {
  const reason = { code: "image_pull", message: "no such image" };
  show(aService({ state: "unhealthy", ready: 0, reason }));
  expect(screen.getByTestId("reason").textContent).toBe("Image pull · no such image");
});

test("a starting service without a reason takes no second row", () => {
  show(aService({ state: "starting", ready: 0 }));
  expect(within(screen.getByTestId("service-api")).getAllByRole("row")).toHaveLength(1);
});

test("what is not known is not made up", () => {
  show(
    aService({
      name: "redis",
      kind: "",
      image: "",
      build: "",
      startedAt: undefined,
      ready: 0,
      desired: 0,
    }),
  );
  const row = screen.getByTestId("service-redis");
  expect(within(row).getByRole("rowheader").textContent).toBe("redisNot seen by Kubernetes");
  const [, , pods, , latency, use, change, build, up] = within(row).getAllByRole("cell");
  for (const cell of [pods, latency, use, change, build, up]) {
    expect(cell?.textContent).toBe("–none");
  }
});

function showOverview(rest: Parameters<typeof anOverview>[0] = {}) {
  const overview = [anOverview({ name: "another" }), anOverview(rest)];
  render(<ServiceTable services={[aService()]} overview={overview} now={NOW} known />);
  const row = within(screen.getByTestId("service-api"));
  return { use: row.getByTestId("use"), change: row.getByTestId("last-change") };
}

test("what it uses is a figure, and what it may use is told beside it", () => {
  const { use, change } = showOverview();
  expect(use.textContent).toBe("0.013 cores39.1 MiB");
  expect(use.firstElementChild?.getAttribute("title")).toBe("0.013 cores\n39.1 MiB of 256.0 MiB");
  expect(change.textContent).toBe("restarted 2 min agoby ada");
});

test.each([
  ["is not known", undefined, "–none"],
  ["is nothing: none of it runs", { running: 0, measured: 0 }, "–none"],
  ["is not measured yet", { running: 2, measured: 0 }, "not measured yet"],
  ["is measured of a part", { running: 2, measured: 1 }, "0.50 cores1.0 MiB, not all"],
])("what it uses %s", (_, counts, text) => {
  const figures = { cpuCores: 0.5, memoryBytes: 2 ** 20 };
  const { use } = showOverview({ use: counts && { ...counts, ...figures } });
  expect(use.textContent).toBe(text);
});

test("who made a change is named only where that is known", () => {
  const at = new Date(NOW - 500).toISOString();
  const { change } = showOverview({ lastChange: { at, what: "changed", with: "kubectl-edit" } });
  expect(change.textContent).toBe("changed just nowwith kubectl-edit");
  expect(change.querySelector("time")?.dateTime).toBe(at);
});

test("a name that somebody else wrote does nothing and has an end", () => {
  const by = "<b>eve</b>".repeat(40);
  const { change } = showOverview({
    lastChange: { at: new Date(NOW).toISOString(), what: "scaled", by, scaledWith: "kubectl" },
  });
  expect(change.querySelector("b")).toBeNull();
  const [text, , scaled] = change.firstElementChild?.getAttribute("title")?.split("\n") ?? [];
  expect(text).toBe(`scaled by ${by}`);
  expect(scaled).toContain("scaled with kubectl");
});

test("services keep the order of the api", () => {
  show(aService({ name: "b", state: "unhealthy" }), aService({ name: "a" }));
  const names = screen.getAllByRole("rowheader").map((header) => header.firstChild?.textContent);
  expect(names).toEqual(["b", "a"]);
});

test("the last hour leads to the health of the service", () => {
  render(<ServiceTable services={[aService()]} past={[aPast()]} now={NOW} known />);
  const strip = screen.getByRole("img", { name: "api in the last 1 h: never unhealthy" });
  expect(strip.closest("a")?.getAttribute("href")).toBe("/uptime?service=api&window=1h");
});

test("the errors of a service begin two minutes ago", () => {
  vi.useFakeTimers({ now: NOW });
  show(aService());
  fireEvent.click(screen.getByRole("button", { name: "Errors of api in the last 2 minutes" }));
  vi.useRealTimers();
  const from = encodeURIComponent(new Date(NOW - 120_000).toISOString());
  expect(push).toHaveBeenCalledExactlyOnceWith(`/logs?service=api&level=error&from=${from}`);
});

test.each([
  ["Deployment", true],
  ["StatefulSet", false],
])("a %s is restarted without a question: %s", (kind, atOnce) => {
  show(aService({ kind }));
  fireEvent.click(screen.getByRole("button", { name: "Restart api" }));
  expect(ask).toHaveBeenCalledExactlyOnceWith({ service: "api", action: "restart", atOnce });
});

test("what cannot be restarted has no button for it", () => {
  show(aService({ desired: 0 }), aService({ name: "seed", kind: "Job" }));
  expect(screen.queryByRole("button", { name: /^Restart/ })).toBeNull();
});
