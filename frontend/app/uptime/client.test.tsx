// @vitest-environment happy-dom
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { act, cleanup, fireEvent, render, screen } from "@testing-library/react";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { failed, type Outcome } from "@/lib/problem";
import { aCurve, anOutage, aPast, aService, NOW } from "@/lib/stack/fixtures";
import type { Services } from "@/lib/stack/schema";
import { reportSchema, type Uptime, type UptimeReport } from "@/lib/stack/uptime";
import { HealthClient } from "./client";
import { partOf } from "./part";

const push = vi.hoisted(() => vi.fn());
vi.mock("next/navigation", () => ({ useRouter: () => ({ push }) }));

const fetched = vi.fn();

beforeEach(() => {
  vi.useFakeTimers({ now: NOW });
  // What the server found is all that there is to see, but where a test says more.
  fetched.mockReset();
  fetched.mockImplementation(() => new Promise(() => {}));
  vi.stubGlobal("fetch", fetched);
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
    services: [aService({ dependsOn: ["redis"] }), aService({ name: "redis" })],
  },
};

function show(
  query: Record<string, string>,
  uptime: Outcome<Uptime>,
  report?: Outcome<UptimeReport>,
) {
  render(
    <QueryClientProvider client={new QueryClient()}>
      <HealthClient
        part={partOf(query)}
        services={stack}
        uptime={uptime}
        report={report}
        renderedAt={NOW}
      />
    </QueryClientProvider>,
  );
}

const past = (rest: Partial<Uptime> = {}): Outcome<Uptime> => ({
  ok: true,
  data: { services: [aPast(), aPast({ service: "redis" })], outages: [], ...rest },
});

const share = { healthy: 0, unhealthy: 0, starting: 0, stopped: 0, unknown: 3_600 };

test("every service has its past in figures, and what is not known is not made up", () => {
  const redis = aPast({
    service: "redis",
    state: "stopped",
    uptime: { hour: share, day: { ...share, uptime: 0.5 }, week: { ...share, uptime: 0.999 } },
    latency: { asked: 9, unanswered: 1, p50: 0.31, p95: 0.7, p99: 12.4 },
  });
  show({}, past({ services: [aPast(), redis] }));
  const cells = (name: string) =>
    [...screen.getByTestId(`uptime-${name}`).children].map(({ textContent }) => textContent);
  expect(cells("api")).toEqual([
    "apihealthy",
    "",
    "100 %",
    "100 %",
    "100 %",
    "–none",
    "–none",
    "–none",
  ]);
  expect(cells("redis")).toEqual([
    "redisstopped",
    "",
    "–none",
    "50.00 %",
    "99.90 %",
    "0.3 ms",
    "0.7 ms",
    "12 ms",
  ]);
  expect(screen.getByTestId("no-outage")).toBeDefined();
});

test("an outage says why, how long, what it took along and what took it", () => {
  show({}, past({ outages: [anOutage(), anOutage({ service: "redis", end: "lasting" })] }));
  const [api, redis] = [...screen.getByTestId("outages").children];
  expect(api?.textContent).toBe(
    "apifor 1 min, until it was healthy again10 min agoCrash · exit code 1It needs redis, which was away as well.",
  );
  expect(redis?.textContent).toBe(
    "redisfor 1 min, and it goes on10 min agoCrash · exit code 1api needs it.",
  );
});

test("one service is an address, with its latencies and its outages alone", () => {
  const points = aCurve("healthy", "unhealthy", "healthy").map((point, i) => ({
    ...point,
    p95: [1, undefined, 4][i],
  }));
  // The newest of all services may be others: those of one are in its report.
  show({ service: "redis", window: "1h" }, past({ outages: [anOutage()] }), {
    ok: true,
    data: { ...aPast({ service: "redis", points }), outages: [anOutage({ service: "redis" })] },
  });
  expect(screen.getByTestId("outages").children).toHaveLength(1);
  expect(screen.getByTestId("outages").textContent).toMatch(/^redis.*api needs it\.$/);
  expect(screen.getByTestId("service-health").textContent).toContain("Healthy, 7 d100 %");
  expect(screen.getByTestId("latency-chart").getAttribute("aria-label")).toBe(
    "95th percentile of the latency: 1.0 ms to 4.0 ms",
  );
  expect(screen.getByTestId("latency-chart").firstElementChild?.getAttribute("d")).toBe(
    "M0.5 30.00h0.01M2.5 0.00h0.01",
  );
  expect(screen.getByText("api", { selector: "a" }).getAttribute("href")).toBe(
    "/uptime?service=api&window=1h",
  );
});

test("of thousands of outages the newest are shown, and it is said", () => {
  const { data } = reportSchema.safeParse({
    ...aPast(),
    outages: Array.from({ length: 10_000 }, (_, i) =>
      anOutage({ message: `the ${i}th`, from: new Date(NOW - i * 60_000).toISOString() }),
    ),
  });
  show({ service: "api" }, past(), { ok: true, data: data as UptimeReport });
  expect(screen.getByTestId("outages").children).toHaveLength(100);
  expect(screen.getByTestId("outages").lastElementChild?.textContent).toContain("the 99th");
  expect(screen.getByText("the newest 100 of this time")).toBeDefined();
});

test("what has no latencies says so", () => {
  show({ service: "api" }, past(), { ok: true, data: { ...aPast(), outages: [] } });
  expect(screen.getByText(/Nothing is measured/)).toBeDefined();
});

test("a service and a window are chosen by address, and one that is gone stays in the list", () => {
  show({ service: "old", window: "7d" }, past(), failed("api_error", "404: no such service"));
  expect(screen.getByTestId("problem").textContent).toContain("no such service");
  const choice = screen.getByLabelText<HTMLSelectElement>("Service");
  expect([...choice.options].map(({ text }) => text)).toEqual([
    "All services",
    "old",
    "api",
    "redis",
  ]);
  fireEvent.change(choice, { target: { value: "redis" } });
  expect(push).toHaveBeenCalledExactlyOnceWith("/uptime?service=redis&window=7d");
  expect(screen.getByText("1 h", { selector: "a" }).getAttribute("href")).toBe(
    "/uptime?service=old&window=1h",
  );
  expect(screen.getByText("7 d", { selector: "a" }).getAttribute("aria-current")).toBe("page");
});

test("a past that cannot be read says why, and is there once it can", async () => {
  const away = failed("api_error", "503: the database does not answer");
  fetched.mockImplementation(async () => Response.json({ error: away.problem }, { status: 502 }));
  show({}, away);
  await act(() => vi.advanceTimersByTimeAsync(1));
  expect(screen.getByTestId("problem").textContent).toContain("database does not answer");
  fetched.mockImplementation(async (path: string) =>
    path.startsWith("/api/v1/uptime")
      ? Response.json({ services: [], outages: [] })
      : Response.json(stack.ok && stack.data),
  );
  fireEvent.click(screen.getByText("Try now"));
  await act(() => vi.advanceTimersByTimeAsync(1));
  expect(screen.getByTestId("no-past")).toBeDefined();
  expect(screen.queryByTestId("problem")).toBeNull();
});

test.each([
  [{}, { window: "24h" }],
  [{ window: "1y", service: "" }, { window: "24h" }],
  [
    { window: "7d", service: "api", environment: "dev" },
    { window: "7d", service: "api", environment: "dev" },
  ],
  [{ environment: "../x" }, { window: "24h" }],
])("the address %o is read", (query, part) => {
  expect(partOf(query)).toEqual(part);
});
