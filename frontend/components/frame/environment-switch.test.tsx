// @vitest-environment happy-dom
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { cleanup, fireEvent, render, screen } from "@testing-library/react";
import { afterEach, expect, test, vi } from "vitest";
import { EnvironmentProvider } from "@/components/environment";
import { Link } from "@/components/link";
import { environmentsQuery } from "@/lib/stack/queries";
import { EnvironmentSwitch } from "./environment-switch";

const at = vi.hoisted(() => ({ path: "/", query: "", push: vi.fn() }));
vi.mock("next/navigation", () => ({
  usePathname: () => at.path,
  useRouter: () => ({ push: at.push }),
  useSearchParams: () => new URLSearchParams(at.query),
}));

afterEach(() => {
  cleanup();
  at.push.mockReset();
});

function show(path: string, query: string, names: string[], expiresAt?: string) {
  Object.assign(at, { path, query });
  const client = new QueryClient({ defaultOptions: { queries: { staleTime: 60_000 } } });
  client.setQueryData(environmentsQuery.queryKey, {
    environments: names.map((name) => ({ name, expiresAt })),
  });
  render(
    <QueryClientProvider client={client}>
      <EnvironmentProvider>
        <EnvironmentSwitch />
        <Link href="/history?service=api">history</Link>
      </EnvironmentProvider>
    </QueryClientProvider>,
  );
}

const choice = () => screen.queryByLabelText<HTMLSelectElement>("Environment");

test("where there is one environment there is nothing to choose", () => {
  show("/", "", ["dev"]);
  expect(choice()).toBeNull();
  expect(screen.getByText("history").getAttribute("href")).toBe("/history?service=api");
});

test("another environment is an address of the same screen", () => {
  show("/history", "service=api", ["dev", "pr-1"]);
  expect(choice()?.value).toBe("dev");
  fireEvent.change(choice() as HTMLElement, { target: { value: "pr-1" } });
  expect(at.push).toHaveBeenCalledExactlyOnceWith("/history?environment=pr-1");
});

test("from the page of a service one comes to all of the other environment", () => {
  show("/services/api", "environment=pr-1", ["dev", "pr-1"]);
  expect(choice()?.value).toBe("pr-1");
  fireEvent.change(choice() as HTMLElement, { target: { value: "dev" } });
  expect(at.push).toHaveBeenCalledExactlyOnceWith("/?environment=dev");
});

test("links stay in the environment", () => {
  show("/", "environment=pr-1", ["dev", "pr-1"]);
  expect(screen.getByText("history").getAttribute("href")).toBe(
    "/history?service=api&environment=pr-1",
  );
});

test("one that is not there any more is said to be so, and is left", () => {
  show("/", "environment=pr-1", ["dev"]);
  expect([...(choice()?.options ?? [])].map(({ text }) => text)).toEqual([
    "pr-1 (not there)",
    "dev",
  ]);
  fireEvent.change(choice() as HTMLElement, { target: { value: "dev" } });
  expect(at.push).toHaveBeenCalledExactlyOnceWith("/?environment=dev");
});

test("what is no name of an environment is left out", () => {
  show("/", "environment=../x", ["dev", "pr-1"]);
  expect(choice()?.value).toBe("dev");
});

test("until when a namespace is kept is said of each, and of the only one", () => {
  show("/", "environment=pr-1", ["dev", "pr-1"], "2026-11-28T14:00:00Z");
  expect([...(choice()?.options ?? [])].map(({ text }) => text)).toEqual([
    "dev, until 2026-11-28 14:00 UTC",
    "pr-1, until 2026-11-28 14:00 UTC",
  ]);
  expect(choice()?.value).toBe("pr-1");
  cleanup();
  show("/", "", ["dev"], "2026-11-28T14:00:00Z");
  expect(choice()).toBeNull();
  expect(screen.getByText("until 2026-11-28 14:00 UTC")).toBeTruthy();
});
