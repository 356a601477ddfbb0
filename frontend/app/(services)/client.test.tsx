// @vitest-environment happy-dom
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { act, cleanup, fireEvent, render, screen } from "@testing-library/react";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { POLL_MS, STALE_AFTER_MS } from "@/lib/freshness";
import { failed, type Outcome } from "@/lib/problem";
import { aChange, anOverview, aService, NOW } from "@/lib/stack/fixtures";
import type { History, Service, Services } from "@/lib/stack/schema";
import { ServicesClient } from "./client";

vi.mock("next/navigation", () => ({
  usePathname: () => "/",
  useRouter: () => ({ push: () => {} }),
  useSearchParams: () => new URLSearchParams(),
}));

/** What the dashboard's own server answers. */
let answers: { services: () => Response; history: () => Response; overview: () => Response };

beforeEach(() => {
  vi.useFakeTimers({ now: NOW });
  answers = {
    services: () => Response.json(stackOf(aService())),
    history: () => Response.json({ events: [] }),
    overview: () => Response.json({ services: [anOverview()] }),
  };
  vi.stubGlobal("fetch", async (path: string) => {
    if (path === "/api/v1/overview") {
      return answers.overview();
    }
    return path === "/api/v1/services" ? answers.services() : answers.history();
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

const noHistory: Outcome<History> = { ok: true, data: { events: [] } };
const unreachable = failed("api_unreachable", "reading /api/v1/services: connection refused");

function refusal(status = 502): Response {
  return Response.json({ error: unreachable.problem }, { status });
}

function show(services: Outcome<Services>, history = noHistory, loggedIn = false) {
  const client = new QueryClient({ defaultOptions: { queries: { networkMode: "always" } } });
  return render(
    <QueryClientProvider client={client}>
      <ServicesClient loggedIn={loggedIn} services={services} history={history} renderedAt={NOW} />
    </QueryClientProvider>,
  );
}

/** Lets time pass, and then what was asked at its very end be answered. */
function pass(ms: number) {
  return act(async () => {
    await vi.advanceTimersByTimeAsync(ms);
    await vi.advanceTimersByTimeAsync(1);
  });
}

function healthy(...services: Service[]): Outcome<Services> {
  return { ok: true, data: stackOf(...services) };
}

test("what the server found is shown at once", () => {
  show(healthy(aService(), aService({ name: "redis" })));
  expect(screen.getByTestId("summary").textContent).toBe("All 2 services are healthy");
  expect(screen.getByTestId("freshness").dataset.freshness).toBe("live");
  expect(screen.getByText("zr-test")).toBeDefined();
});

test("a change shows with the next poll, also in the title", async () => {
  show(healthy(aService()));
  expect(document.title).toBe("api is healthy · zr");
  answers.services = () =>
    Response.json(
      stackOf(aService({ state: "unhealthy", reason: { code: "crash", message: "it ended" } })),
    );
  await pass(POLL_MS);
  expect(screen.getByTestId("service-api").dataset.state).toBe("unhealthy");
  expect(document.title).toBe("api is unhealthy · zr");
});

test("one poll that fails is not news", async () => {
  show(healthy(aService()));
  answers.services = () => refusal();
  await pass(POLL_MS);
  expect(screen.queryByTestId("problem")).toBeNull();
  expect(screen.getByTestId("freshness").dataset.freshness).toBe("live");
});

test("an api that stays away makes the page stale, and its return makes it live", async () => {
  show(healthy(aService()));
  answers.services = () => refusal();
  await pass(STALE_AFTER_MS + 2_000);
  expect(screen.getByTestId("problem").dataset.code).toBe("api_unreachable");
  expect(screen.getByTestId("problem").textContent).toContain("zr logs api");
  expect(screen.getByTestId("summary").dataset.state).toBe("unknown");
  expect(screen.getByTestId("service-api").dataset.state).toBe("healthy");
  answers.services = () => Response.json(stackOf(aService()));
  await pass(POLL_MS);
  expect(screen.queryByTestId("problem")).toBeNull();
  expect(screen.getByTestId("summary").dataset.state).toBe("healthy");
});

test("without any data the problem takes the whole screen, and is left by trying again", async () => {
  answers.services = () => refusal();
  show(unreachable);
  await pass(0);
  expect(screen.getByTestId("problem").dataset.code).toBe("api_unreachable");
  expect(screen.getByRole("heading", { level: 1 }).textContent).toBe("The api cannot be reached");
  expect(screen.queryByRole("table")).toBeNull();
  answers.services = () => Response.json(stackOf(aService()));
  fireEvent.click(screen.getByText("Try now"));
  await pass(0);
  expect(screen.getByTestId("service-api").dataset.state).toBe("healthy");
});

test.each([
  ["the page's own server is gone", () => Promise.reject(new TypeError("Failed to fetch"))],
  ["something else answers in its place", () => new Response("Bad gateway", { status: 502 })],
])("%s", async (_, answer) => {
  answers.services = answer as () => Response;
  show(healthy(aService()));
  await pass(STALE_AFTER_MS + 2_000);
  expect(screen.getByTestId("problem").dataset.code).toBe("frontend_unreachable");
});

test("an answer of another version is a problem of its own", async () => {
  answers.services = () => Response.json({ services: [{ name: 1 }] });
  show(unreachable);
  await pass(0);
  expect(screen.getByTestId("problem").dataset.code).toBe("api_unexpected");
});

test("paused, nothing is asked and the age is still shown", async () => {
  show(healthy(aService()));
  const asked = vi.fn(answers.services);
  answers.services = asked;
  fireEvent.click(screen.getByRole("button", { name: "Pause" }));
  // The label says what the button does: a pressed "Resume" would say the opposite.
  expect(screen.getByRole("button", { name: "Resume" }).hasAttribute("aria-pressed")).toBe(false);
  await pass(5 * POLL_MS);
  expect(asked).not.toHaveBeenCalled();
  expect(screen.getByTestId("freshness").textContent).toBe("Pausedupdated 10 s ago");
  fireEvent.click(screen.getByTestId("pause"));
  await pass(0);
  expect(asked).toHaveBeenCalled();
  expect(screen.getByTestId("freshness").dataset.freshness).toBe("live");
});

test("a hidden page asks nothing", async () => {
  show(healthy(aService()));
  const asked = vi.fn(answers.services);
  answers.services = asked;
  const visibility = vi.spyOn(document, "visibilityState", "get").mockReturnValue("hidden");
  await pass(5 * POLL_MS);
  expect(asked).not.toHaveBeenCalled();
  visibility.mockReturnValue("visible");
  await pass(POLL_MS);
  expect(asked).toHaveBeenCalled();
});

test("a stack without services says how to get some", () => {
  show(healthy());
  expect(screen.getByTestId("empty").textContent).toContain("zr up");
  expect(screen.queryByRole("table")).toBeNull();
});

test("without Kubernetes the page says that the list is not all", () => {
  const data = stackOf(aService({ kind: "" }));
  data.kubernetes = { status: "down", latencyMs: 3000, reason: "timeout" };
  show({ ok: true, data });
  expect(screen.getByTestId("kubernetes-notice").textContent).toContain("Timeout.");
});

test("the history shows what changed, newest first", () => {
  const events = [
    aChange({ id: 2, state: "unhealthy", previous: "healthy", message: "exit code 2" }),
    aChange({ id: 1, service: "redis", previous: undefined }),
  ];
  show(healthy(aService()), { ok: true, data: { events } });
  const items = [...screen.getByTestId("history").children].map((item) => item.textContent);
  expect(items).toEqual([
    "apihealthy → unhealthy1 min agoexit code 2",
    "redisfirst seen healthy1 min ago",
  ]);
});

test("a history that cannot be read leaves the services alone", async () => {
  answers.history = () =>
    Response.json(
      { error: { code: "api_error", message: "503: the database does not answer" } },
      { status: 502 },
    );
  show(healthy(aService()), failed("api_error", "503: the database does not answer"));
  await pass(POLL_MS);
  expect(screen.getByTestId("history-problem").textContent).toContain("database does not answer");
  expect(screen.getByTestId("summary").dataset.state).toBe("healthy");
  expect(screen.queryByTestId("problem")).toBeNull();
});

const cells = () => [
  screen.getByTestId("use").textContent,
  screen.getByTestId("last-change").textContent,
];

test("what services use and who changed them last comes a moment later, and as it changes", async () => {
  show(healthy(aService()), noHistory, true);
  expect(cells()).toEqual(["–none", "–none"]);
  await pass(0);
  expect(cells()).toEqual(["0.013 cores39.1 MiB", "restarted 2 min agoby ada"]);
  expect(screen.queryByTestId("overview-note")).toBeNull();
  const at = new Date(NOW).toISOString();
  answers.overview = () =>
    Response.json({
      services: [
        anOverview({ use: undefined, lastChange: { at, what: "changed", with: "zr-api" } }),
      ],
      usageWhy: "there is no metrics API",
      namesWhy: "the database does not answer",
    });
  await pass(5_000);
  expect(cells()).toEqual(["–none", "changed 5 s agoin the dashboard"]);
  expect(screen.getByTestId("overview-note").textContent).toBe(
    "CPU and memory are not known: there is no metrics APIWho made the last changes is not known: the database does not answer",
  );
});

test("who is not logged in is told so, and nothing is asked that is refused", async () => {
  const asked = vi.fn(answers.overview);
  answers.overview = asked;
  show(healthy(aService()));
  await pass(5_000);
  expect(asked).not.toHaveBeenCalled();
  expect(screen.getByTestId("overview-note").textContent).toContain("zr dashboard");
  expect(cells()).toEqual(["–none", "–none"]);
});

test("what cannot be asked for any more is not shown as what is", async () => {
  show(healthy(aService()), noHistory, true);
  await pass(0);
  answers.overview = () => refusal();
  await pass(5_000);
  expect(cells()).toEqual(["–none", "–none"]);
  expect(screen.getByTestId("overview-note").textContent).toContain("connection refused");
  expect(screen.getByTestId("summary").dataset.state).toBe("healthy");
  answers.overview = () => Response.json({ services: [anOverview()] });
  await pass(5_000);
  expect(cells()).toEqual(["0.013 cores39.1 MiB", "restarted 2 min agoby ada"]);
});
