// @vitest-environment happy-dom
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { act, cleanup, fireEvent, render, screen } from "@testing-library/react";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { connection } from "@/lib/connection";
import { STALE_AFTER_MS } from "@/lib/freshness";
import { missedQuery } from "@/lib/missed";
import { NOW } from "@/lib/stack/fixtures";
import { environmentsQuery } from "@/lib/stack/queries";
import { Reconnect } from "./reconnect";

vi.mock("next/navigation", () => ({
  usePathname: () => "/",
  useRouter: () => ({ push: () => {} }),
  useSearchParams: () => new URLSearchParams(),
}));

let client: QueryClient;

beforeEach(() => {
  vi.useFakeTimers({ now: NOW });
  client = new QueryClient({ defaultOptions: { queries: { staleTime: 1e9, retry: false } } });
  client.setQueryData(environmentsQuery.queryKey, { environments: [{ name: "dev" }] });
  vi.stubGlobal("fetch", () => new Promise(() => {}));
  render(
    <QueryClientProvider client={client}>
      <Reconnect loggedIn />
    </QueryClientProvider>,
  );
});

afterEach(() => {
  connection.found("answers");
  connection.found("services");
  connection.dismiss();
  cleanup();
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

const said = () => screen.getByRole("status").textContent;

/** Everything of the source is away for as long as makes data stale. */
async function awayFor(source: "answers" | "services") {
  act(() => connection.lost(source));
  expect(said()).toBe("");
  await act(() => vi.advanceTimersByTimeAsync(STALE_AFTER_MS + 1_000));
}

test("an absence is told while it lasts, and after it what happened", async () => {
  await awayFor("services");
  expect(said()).toMatch(/^What comes live has been away since .* It is tried again and again\.$/);
  const absence = { from: NOW, to: Date.now() };
  const { queryKey } = missedQuery(undefined, absence, true);
  const during = { from: NOW + 300_000, to: NOW + 310_000 };
  client.setQueryData(queryKey, { changes: 1, reloads: 2, more: false, during });
  act(() => {
    connection.skipped(5);
    connection.found("services");
  });
  expect(said()).toContain("Meanwhile: 1 change of a service, 2 reloads, 5 lines skipped.");
  const links = screen.getAllByRole("link").map((link) => link.getAttribute("href"));
  expect(links.slice(0, 2)).toEqual(["/history", "/reloads"]);
  expect(links[2]).toContain(
    `/logs?from=${encodeURIComponent(new Date(during.from).toISOString())}`,
  );
  fireEvent.click(screen.getByText("Dismiss"));
  expect(said()).toBe("");
});

test("one of which nothing is known says where to look, and more than a page is said to be at least", async () => {
  await awayFor("services");
  const during = { from: NOW, to: Date.now() };
  const { queryKey } = missedQuery(undefined, during, true);
  client.setQueryData(queryKey, { changes: 0, reloads: 0, more: false, during });
  act(() => connection.found("services"));
  expect(said()).toContain("What happened meanwhile is in the history.");
  act(() => client.setQueryData(queryKey, { changes: 500, reloads: 0, more: true, during }));
  await act(() => vi.advanceTimersByTimeAsync(10));
  expect(said()).toContain("Meanwhile at least: 500 changes of services.");
});

test("an api that does not answer is noticed by what is asked of it", async () => {
  await act(() =>
    client
      .fetchQuery({
        queryKey: ["any"],
        queryFn: () => Promise.reject({ code: "api_unreachable", message: "" }),
      })
      .catch(() => {}),
  );
  await act(() => vi.advanceTimersByTimeAsync(STALE_AFTER_MS + 1_000));
  expect(said()).toMatch(/^The api has not answered since /);
});
