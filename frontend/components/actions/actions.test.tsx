// @vitest-environment happy-dom
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { cleanup, fireEvent, render, screen } from "@testing-library/react";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { anAttached, aSave } from "@/lib/dev/fixtures";
import type { Attached } from "@/lib/dev/schema";
import type { Problem } from "@/lib/problem";
import { aService } from "@/lib/stack/fixtures";
import { servicesQuery } from "@/lib/stack/queries";
import type { Services } from "@/lib/stack/schema";
import { ActionsProvider, useActions } from "./actions";
import type { Asked } from "./asked";

/** What the dashboard's own server answers to a change, and what it was asked. */
let answer: (path: string) => Response | Promise<Response>;
let asked: { path: string; body: unknown }[];
let session: () => Response;
let attached: Attached[];

const operator = () => Response.json({ name: "ana", role: "operator" });

beforeEach(() => {
  asked = [];
  session = operator;
  attached = [];
  answer = () => Response.json({ replicas: 1, ready: 1 });
  vi.stubGlobal("fetch", async (path: string, init?: RequestInit) => {
    if (init?.method === "POST") {
      asked.push({ path, body: init.body && JSON.parse(String(init.body)) });
      return answer(path);
    }
    if (path.startsWith("/api/v1/dev")) {
      return Response.json({ attached });
    }
    return path === "/api/v1/session" ? session() : Response.json(stack);
  });
});

afterEach(() => {
  cleanup();
  vi.unstubAllGlobals();
});

const stack: Services = {
  namespace: "zr-test",
  kubernetes: { status: "ok", latencyMs: 1, reason: "" },
  services: [
    aService({ name: "api", dependsOn: ["redis"], dev: true }),
    aService({ name: "redis", kind: "StatefulSet" }),
    aService({ name: "seed", kind: "Job" }),
  ],
};

function Opener({ what }: { what: Asked }) {
  const ask = useActions();
  return (
    <button type="button" onClick={() => ask?.(what)}>
      open
    </button>
  );
}

async function open(what: Asked) {
  const client = new QueryClient();
  client.setQueryData(servicesQuery(undefined).queryKey, stack);
  render(
    <QueryClientProvider client={client}>
      <ActionsProvider>
        <Opener what={what} />
      </ActionsProvider>
    </QueryClientProvider>,
  );
  fireEvent.click(screen.getByText("open"));
  await screen.findByTestId("action-dialog");
}

const button = (name: string) => screen.getByRole<HTMLButtonElement>("button", { name });

function refusal(problem: Problem, status: number) {
  return Response.json({ error: problem }, { status });
}

test("what can be done is offered, and what cannot says why", async () => {
  await open({ service: "redis" });
  expect(button("Start").disabled).toBe(true);
  expect(screen.getByText("It runs.")).toBeDefined();
  fireEvent.click(button("Stop"));
  expect(screen.getByTestId("consequence").textContent).toContain("api depends on it");
});

test("an attached zr dev rebuilds what zr builds, and says how long that took", async () => {
  attached = [anAttached({ verb: "up", run: "R2" }), anAttached({ actions: ["rebuild"] })];
  answer = () => Response.json(aSave().data);
  await open({ service: "api" });
  fireEvent.click(await screen.findByRole("button", { name: "Rebuild" }));
  expect(screen.queryByRole("button", { name: "Restart process" })).toBeNull();
  expect(screen.getByTestId("consequence").textContent).toContain("is taken back");
  fireEvent.click(button("Rebuild"));
  await screen.findByText("api is rebuilt, and healthy after 400 ms");
  expect(asked).toEqual([{ path: "/api/v1/dev/rebuild", body: { service: "api" } }]);
});

test("what a zr dev could not do says what the compiler said", async () => {
  attached = [anAttached()];
  answer = () => refusal({ code: "dev_failed", message: "main.go:3:1: undefined: x" }, 502);
  await open({ service: "api", action: "swap" });
  await vi.waitUntil(() => !button("Restart process").disabled);
  fireEvent.click(button("Restart process"));
  await screen.findByText("main.go:3:1: undefined: x");
  expect(asked[0]?.path).toBe("/api/v1/dev/restart");
});

test("what is on the disk is applied, of no service in particular", async () => {
  attached = [anAttached()];
  answer = () => Response.json(aSave({ service: "manifests" }).data);
  await open({ service: "", action: "apply", environment: "pr-1" });
  await vi.waitUntil(() => !button("Apply").disabled);
  fireEvent.click(button("Apply"));
  await screen.findByText("Everything is applied, and healthy after 400 ms");
  expect(asked).toEqual([{ path: "/api/v1/dev/apply?environment=pr-1", body: undefined }]);
});

test.each([
  ["nobody is attached", [], "No zr dev is attached"],
  ["an older one is", [anAttached({ actions: [] })], "is of a version that cannot"],
])("where %s, that is why, with the command", async (_, runs, text) => {
  attached = runs;
  await open({ service: "api", action: "rebuild" });
  expect((await screen.findByText(new RegExp(text))).textContent).toContain("zr dev");
  expect(button("Rebuild").disabled).toBe(true);
});

test("a Job is run again, and nothing else", async () => {
  answer = () => refusal({ code: "job_failed", message: "the Job failed: exit code 1" }, 502);
  await open({ service: "seed" });
  expect(screen.getAllByRole("listitem")).toHaveLength(1);
  fireEvent.click(button("Run again"));
  fireEvent.click(button("Run again"));
  await screen.findByText("Run seed again: the Job failed");
  expect(asked).toEqual([{ path: "/api/v1/services/seed/run", body: undefined }]);
});

test("a service goes back to a revision, and what the next run makes of it is said", async () => {
  await open({ service: "api", action: "rollback", revision: 2, environment: "pr-1" });
  expect(await screen.findByText(/brings back what its manifest says/)).toBeDefined();
  fireEvent.click(button("Roll back"));
  await screen.findByText("api is at revision 2: 1 of 1 pod ready");
  expect(asked).toEqual([
    { path: "/api/v1/services/api/rollback?environment=pr-1", body: { revision: 2 } },
  ]);
});

test("what was agreed to goes on, and ends with what Kubernetes said", async () => {
  let finish = (_: Response) => {};
  answer = () =>
    new Promise((resolve) => {
      finish = resolve;
    });
  await open({ service: "api", action: "restart" });
  fireEvent.click(button("Restart"));
  expect(screen.queryByTestId("action-dialog")).toBeNull();
  await screen.findByText("Restarting api…");
  await vi.waitUntil(() => asked.length === 1);
  finish(Response.json({ replicas: 1, ready: 1 }));
  await screen.findByText("api is restarted: 1 of 1 pod ready");
  expect(asked).toEqual([{ path: "/api/v1/services/api/restart", body: undefined }]);
  fireEvent.click(button("Dismiss"));
  expect(screen.queryByTestId("notice")).toBeNull();
});

test("who saw the dependents has confirmed", async () => {
  await open({ service: "redis", action: "stop" });
  expect(screen.getByText(/leaves it stopped/)).toBeDefined();
  fireEvent.click(button("Stop"));
  await screen.findByText("redis is running: 1 of 1 pod ready");
  expect(asked[0]?.path).toBe("/api/v1/services/redis/stop?confirm=true");
});

test("dependents that only the api knows are named before anything is done", async () => {
  answer = (path) =>
    path.includes("confirm")
      ? Response.json({ replicas: 0, ready: 0 })
      : refusal({ code: "refused", message: "others depend on it", dependents: ["web"] }, 409);
  await open({ service: "api", action: "stop" });
  fireEvent.click(button("Stop"));
  await screen.findByText("others depend on it");
  fireEvent.click(button("Decide"));
  expect(screen.getByTestId("consequence").textContent).toContain("web depends on it");
  fireEvent.click(button("Stop"));
  await screen.findByText("api is stopped: it has no pods");
});

test("a number of pods is chosen, and the same one is no change", async () => {
  await open({ service: "api", action: "scale" });
  expect(button("Scale").disabled).toBe(true);
  fireEvent.change(screen.getByLabelText("Pods"), { target: { value: "3" } });
  expect(screen.getByTestId("consequence").textContent).toBe("api gets 2 pods more.");
  fireEvent.click(button("Scale"));
  await vi.waitUntil(() => asked.length === 1);
  expect(asked[0]).toEqual({ path: "/api/v1/services/api/scale", body: { replicas: 3 } });
});

test("what failed says why, and can be tried again", async () => {
  answer = () => refusal({ code: "not_in_effect", message: "0 of 1 pods are ready" }, 504);
  await open({ service: "api", action: "restart" });
  fireEvent.click(button("Restart"));
  await screen.findByText("Restart api: it has not taken effect yet");
  expect(screen.getByText("0 of 1 pods are ready")).toBeDefined();
  fireEvent.click(button("Try again"));
  expect(screen.getByTestId("action-dialog").dataset.action).toBe("restart");
});

test.each([
  ["a viewer", () => Response.json({ name: "eve", role: "viewer" }), "eve is a viewer"],
  [
    "who is not logged in",
    () => refusal({ code: "not_logged_in", message: "" }, 401),
    "not logged in",
  ],
])("%s is told why he may not", async (_, says, text) => {
  session = says;
  await open({ service: "api", action: "restart" });
  expect((await screen.findByTestId("why-not")).textContent).toContain(text);
  expect(button("Restart").disabled).toBe(true);
});
