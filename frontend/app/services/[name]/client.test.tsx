// @vitest-environment happy-dom
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { act, cleanup, fireEvent, render, screen } from "@testing-library/react";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { POLL_MS, STALE_AFTER_MS } from "@/lib/freshness";
import { failed, type Outcome } from "@/lib/problem";
import { anOverview, aPod, aService, NOW } from "@/lib/stack/fixtures";
import type { Service, Services } from "@/lib/stack/schema";
import { ServiceClient } from "./client";

/** What the dashboard's own server answers: for the services, and for what is of one. */
let answer: () => Response;
let events: unknown[];
let revisions: () => Response;

beforeEach(() => {
  vi.useFakeTimers({ now: NOW });
  answer = () => Response.json(stackOf(aService()));
  events = [];
  revisions = () => Response.json({ revisions: [] });
  vi.stubGlobal("fetch", async (path: string) => {
    if (path.endsWith("/revisions")) {
      return revisions();
    }
    if (path === "/api/v1/overview") {
      return Response.json({ services: [anOverview({ name: "other" }), anOverview()] });
    }
    return path === "/api/v1/services"
      ? answer()
      : Response.json({ events: path.endsWith("/events") ? events : [] });
  });
});

afterEach(() => {
  cleanup();
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

function stackOf(...services: Service[]): Services {
  return {
    namespace: "zr-test",
    kubernetes: { status: "ok", latencyMs: 1, reason: "" },
    services,
  };
}

function show(services: Outcome<Services>, loggedIn = true) {
  const client = new QueryClient({ defaultOptions: { queries: { networkMode: "always" } } });
  render(
    <QueryClientProvider client={client}>
      <ServiceClient
        name="api"
        loggedIn={loggedIn}
        services={services}
        history={{ ok: true, data: { events: [] } }}
        renderedAt={NOW}
      />
    </QueryClientProvider>,
  );
}

const running = (...services: Service[]): Outcome<Services> => ({
  ok: true,
  data: stackOf(...services),
});

function pass(ms: number) {
  return act(async () => {
    await vi.advanceTimersByTimeAsync(ms);
    await vi.advanceTimersByTimeAsync(1);
  });
}

/** The value beside the name of a fact. */
const fact = (name: string) => screen.getByText(name).nextElementSibling?.textContent;

test("a service shows its state and its figures in full", () => {
  show(running(aService({ restarts: 2, measured: { status: "ok", latencyMs: 0.73, reason: "" } })));
  expect(screen.getByRole("heading", { level: 1 }).textContent).toBe("api");
  expect(screen.getByTestId("detail").dataset.state).toBe("healthy");
  expect(["Kind", "Ready pods", "Restarts", "Up", "Latency", "Build", "Image"].map(fact)).toEqual([
    "Deployment",
    "1 of 1",
    "2",
    "1 h",
    "0.7 ms",
    "8d1f62c07ab34e95",
    "localhost/zr/api@sha256:c2d9e8134f60c2d9e8134f60",
  ]);
});

test("what it uses and who changed it last are facts for who is logged in", async () => {
  show(running(aService()));
  await pass(0);
  expect(["CPU", "Memory", "Last change"].map(fact)).toEqual([
    "0.013 cores",
    "39.1 MiB of 256.0 MiB",
    "restarted by ada, 2 min ago",
  ]);
  cleanup();
  show(running(aService()), false);
  await pass(0);
  expect(["CPU", "Memory", "Last change"].map(fact)).toEqual(["–none", "–none", "–none"]);
});

test("what is not known is not made up", () => {
  show(running(aService({ kind: "", image: "", build: "", startedAt: undefined })));
  expect(fact("Kind")).toBe("Not seen by Kubernetes");
  for (const name of ["Ready pods", "Up", "Latency", "Build", "Image"]) {
    expect(fact(name), name).toBe("–none");
  }
  expect(screen.getByText("No pod of it runs.")).toBeDefined();
});

test("each pod says how it is, and why", () => {
  const reason = { code: "crash", message: "exit code 1" };
  const pods = [
    aPod(),
    aPod({ name: "api-2", phase: "Pending", ready: false, restarts: 1, reason }),
  ];
  show(running(aService({ pods })));
  const items = screen.getAllByRole("listitem").map((item) => item.textContent);
  expect(items).toEqual([
    "api-7d9c5-x2x4pRunning, ready · 0 restarts · up 1 h",
    "api-2Pending · 1 restart · up 1 hCrash · exit code 1",
  ]);
});

test("events are those of Kubernetes, a few at first, and a warning says so in words", async () => {
  events = Array.from({ length: 9 }, (_, i) => ({
    at: new Date(NOW - i * 60_000).toISOString(),
    warning: i === 0,
    object: "Pod/api-1",
    reason: i === 0 ? "BackOff" : "Pulled",
    message: `event ${i}`,
  }));
  show(running(aService()));
  await pass(0);
  const items = () => [...screen.getByTestId("events").children];
  expect(items()).toHaveLength(8);
  expect(items()[0]?.textContent).toBe("Warning: BackOffPod/api-1just nowevent 0");
  expect(items()[1]?.textContent).toBe("PulledPod/api-11 min agoevent 1");
  fireEvent.click(screen.getByText("Show all 9"));
  expect(items()).toHaveLength(9);
});

test("each revision but that which runs can be gone back to", async () => {
  const createdAt = new Date(NOW - 60_000).toISOString();
  const images = ["localhost/zr/api@sha256:c2d9e8134f60c2d9"];
  revisions = () =>
    Response.json({
      revisions: [
        { revision: 3, current: true, images, createdAt },
        { revision: 2, current: false, images, createdAt, cause: "first try" },
      ],
    });
  show(running(aService()));
  await pass(0);
  const items = [...screen.getByTestId("revisions").children].map((item) => item.textContent);
  expect(items).toEqual([
    "3api@c2d9e8134f601 min agoRuns now",
    "2api@c2d9e8134f601 min ago · first tryRoll back",
  ]);
  expect(screen.getAllByRole("button", { name: /^Roll back to/ })).toHaveLength(1);
});

test("who is not logged in is told how to see revisions", async () => {
  revisions = vi.fn();
  show(running(aService()), false);
  await pass(0);
  const unread = screen.getAllByTestId("unread").map(({ textContent }) => textContent);
  expect(unread).toHaveLength(2);
  for (const text of unread) {
    expect(text).toContain("zr dashboard");
  }
  expect(revisions).not.toHaveBeenCalled();
});

test("a Job has no revisions, and is run again", async () => {
  show(running(aService({ kind: "Job" })));
  await pass(0);
  expect(screen.queryByText("Revisions")).toBeNull();
  expect(screen.getAllByRole("button").map(({ textContent }) => textContent)).toEqual([
    "Run again",
  ]);
  expect(screen.getByText("Kubernetes tells of nothing.")).toBeDefined();
});

test("a change shows with the next poll, also in the title and the icon", async () => {
  show(running(aService()));
  expect(document.title).toBe("api is healthy · zr");
  const icon = () => document.querySelector<HTMLLinkElement>("link[rel=icon]")?.href;
  const before = icon();
  const reason = { code: "crash", message: "it ended" };
  answer = () => Response.json(stackOf(aService({ state: "unhealthy", reason })));
  await pass(POLL_MS);
  expect(screen.getByTestId("reason").textContent).toBe("Crash · it ended");
  expect(document.title).toBe("api is unhealthy · zr");
  expect(icon()).not.toBe(before);
});

test("a name that no service has says so, until one has it", async () => {
  answer = () => Response.json(stackOf());
  show(running());
  expect(screen.getByTestId("nothing-here").textContent).toContain("No service is called api");
  answer = () => Response.json(stackOf(aService()));
  await pass(POLL_MS);
  expect(screen.getByTestId("detail").dataset.state).toBe("healthy");
});

test("an api that stays away leaves what was known, and says so", async () => {
  show(running(aService()));
  const gone = failed("api_unreachable", "connection refused").problem;
  answer = () => Response.json({ error: gone }, { status: 502 });
  await pass(STALE_AFTER_MS + POLL_MS);
  expect(screen.getByTestId("problem").dataset.code).toBe("api_unreachable");
  expect(screen.getByTestId("detail").dataset.state).toBe("unknown");
  expect(document.title).toBe("api · zr");
});

test("without any data the problem takes the whole screen", () => {
  show(failed("api_timeout", "no answer within 4000 ms"));
  expect(screen.getByRole("heading", { level: 1 }).textContent).toContain("does not answer");
});
