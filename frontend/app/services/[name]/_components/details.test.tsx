// @vitest-environment happy-dom
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { cleanup, render, screen } from "@testing-library/react";
import { afterEach, expect, test, vi } from "vitest";
import { NOW } from "@/lib/stack/fixtures";

import { Details } from "./details";

afterEach(() => {
  cleanup();
  vi.unstubAllGlobals();
});

const container = {
  name: "api",
  image: "localhost/zr/api",
  ports: [{ name: "http", number: 3001 }],
  probes: [
    {
      of: "readiness",
      kind: "http",
      asks: "GET :3001/health",
      everySeconds: 5,
      timeoutSeconds: 2,
      failures: 3,
    },
  ],
  env: [
    { name: "LOG_LEVEL", value: "info", from: "ConfigMap/settings", key: "LOG_LEVEL" },
    { name: "PASSWORD", secret: true, from: "Secret/secrets", key: "PASSWORD" },
  ],
  requests: { cpu: "50m" },
  limits: { memory: "256Mi" },
};
const running = { name: "api", state: "running", ready: true, restarts: 1 };
const answer = {
  by: "api",
  status: "ready",
  asks: "GET :3001/health",
  text: "200 OK",
  latencyMs: 0.8,
  at: new Date(NOW - 3_000).toISOString(),
};

function show(details: object, loggedIn = true) {
  const fetched = vi.fn(async () =>
    Response.json({
      containers: [container],
      ports: [{ service: "api", number: 80 }],
      pods: [{ name: "api-1", answer, containers: [running] }],
      ...details,
    }),
  );
  vi.stubGlobal("fetch", fetched);
  render(
    <QueryClientProvider client={new QueryClient()}>
      <Details service="api" loggedIn={loggedIn} now={NOW} />
    </QueryClientProvider>,
  );
  return fetched;
}

test("a container with its ports, bounds, probes and variables, and a secret by name alone", async () => {
  show({});
  const shown = await screen.findByTestId("container-api");
  expect(shown.textContent).toContain("3001 (http)");
  expect(shown.textContent).toContain("api:80");
  expect(shown.textContent).toContain("from 50m");
  expect(shown.textContent).toContain("up to 256Mi");
  expect(shown.textContent).toContain("ReadinessGET :3001/health, every 5 s within 2 s");
  const variables = screen.getByTestId("variables").textContent;
  expect(variables).toContain("LOG_LEVEL=info from ConfigMap/settings, LOG_LEVEL");
  expect(variables).toContain("PASSWORD (a secret, not shown) from Secret/secrets, PASSWORD");
});

test("what a pod answered last, and what its containers use", async () => {
  const used = { ...running, cpuCores: 0.013, memoryBytes: 41_000_000 };
  show({ pods: [{ name: "api-1", node: "node-1", answer, containers: [used] }] });
  const shown = await screen.findByTestId("usage");
  expect(shown.textContent).toContain("ready: 200 OK to GET :3001/health in 0.8 ms, 3 s ago");
  expect(shown.textContent).toContain("running, ready · 0.013 cores · 39.1 MiB · 1 restart");
});

test("what only the kubelet asks, how a container ended, and why its use is not known", async () => {
  const ended = { at: new Date(NOW - 60_000).toISOString(), exitCode: 137, reason: "OOMKilled" };
  const said = { by: "kubelet", status: "not ready", why: "it is a command" };
  const waiting = { ...running, state: "waiting", reason: "CrashLoopBackOff", lastEnd: ended };
  show({
    pods: [{ name: "api-1", answer: said, containers: [waiting] }],
    usageWhy: "there is no metrics API",
  });
  const shown = await screen.findByTestId("usage");
  expect(shown.textContent).toContain("not ready, says the kubelet: it is a command");
  expect(shown.textContent).toContain("ended before with 137, OOMKilled, 1 min ago");
  expect(screen.getByText(/CPU and memory are not known: there is no metrics API/)).toBeDefined();
});

test("who is not logged in is told how to, and nothing is asked", () => {
  const fetched = show({}, false);
  expect(screen.getByTestId("unread").dataset.code).toBe("not_logged_in");
  expect(fetched).not.toHaveBeenCalled();
});
