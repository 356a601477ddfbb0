// @vitest-environment happy-dom
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { cleanup, fireEvent, render, screen } from "@testing-library/react";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { screens } from "@/lib/screens";
import { aService } from "@/lib/stack/fixtures";
import { servicesQuery } from "@/lib/stack/queries";
import { Controls } from "./controls";

const push = vi.hoisted(() => vi.fn());
vi.mock("next/navigation", () => ({ useRouter: () => ({ push }) }));

beforeEach(() => {
  const client = new QueryClient();
  client.setQueryData(servicesQuery(undefined).queryKey, {
    namespace: "zr-test",
    kubernetes: { status: "ok", latencyMs: 1, reason: "" },
    services: [aService(), aService({ name: "redis", state: "unhealthy" })],
  });
  render(
    <QueryClientProvider client={client}>
      <Controls />
    </QueryClientProvider>,
  );
});

afterEach(() => {
  cleanup();
  push.mockReset();
});

function press(key: string, rest = {}) {
  fireEvent.keyDown(document.activeElement ?? document.body, { key, ...rest });
}

function openPalette() {
  press("k", { ctrlKey: true });
  return screen.getByRole("combobox");
}

/** What the palette lists; the marked one in brackets. */
function listed() {
  return screen.queryAllByRole("option").map((option) => {
    const text = option.firstElementChild?.textContent;
    return option.getAttribute("aria-selected") === "true" ? `[${text}]` : text;
  });
}

test.each([{ ctrlKey: true }, { metaKey: true }])(
  "the palette lists services and screens, %o",
  (modifier) => {
    press("k", modifier);
    expect(listed()).toEqual(["[api]", "redis", ...screens.map(({ label }) => label)]);
    expect(screen.getByText("Unhealthy")).toBeDefined();
  },
);

test("the arrows mark an entry, around the ends, and Enter goes there", () => {
  const input = openPalette();
  fireEvent.keyDown(input, { key: "ArrowUp" });
  expect(listed().at(-1)).toBe("[Activity]");
  fireEvent.keyDown(input, { key: "ArrowDown" });
  fireEvent.keyDown(input, { key: "ArrowDown" });
  const marked = screen.getByRole("option", { selected: true });
  expect(input.getAttribute("aria-activedescendant")).toBe(marked.id);
  fireEvent.keyDown(input, { key: "Enter" });
  expect(push).toHaveBeenCalledExactlyOnceWith("/services/redis");
  expect(screen.queryByTestId("palette")).toBeNull();
});

test("a text narrows the list, and one that nothing has says so", () => {
  const input = openPalette();
  fireEvent.keyDown(input, { key: "ArrowDown" });
  fireEvent.change(input, { target: { value: " HIS " } });
  expect(listed()).toEqual(["[History]"]);
  fireEvent.change(input, { target: { value: "nginx" } });
  expect(screen.getByRole("status").textContent).toContain("nginx");
  expect(input.hasAttribute("aria-activedescendant")).toBe(false);
  fireEvent.keyDown(input, { key: "Enter" });
  expect(push).not.toHaveBeenCalled();
});

test("what can be done to a service is listed for who writes it", async () => {
  const input = openPalette();
  fireEvent.change(input, { target: { value: "restart" } });
  expect(listed()).toEqual(["[Restart api]", "Restart redis"]);
});

test("a click goes where it points", () => {
  openPalette();
  fireEvent.click(screen.getByText("History"));
  expect(push).toHaveBeenCalledExactlyOnceWith("/history");
});

test("? lists the shortcuts until it is closed", () => {
  press("?");
  expect(screen.getByTestId("help").textContent).toContain("Show History");
  fireEvent.click(screen.getByText("Close"));
  expect(screen.queryByTestId("help")).toBeNull();
});

test("g and a letter go to a screen", () => {
  press("h");
  expect(push).not.toHaveBeenCalled();
  press("g");
  press("h");
  expect(push).toHaveBeenCalledExactlyOnceWith("/history");
});

test("what is written is no shortcut", () => {
  const input = openPalette();
  fireEvent.keyDown(input, { key: "g" });
  fireEvent.keyDown(input, { key: "h" });
  fireEvent.keyDown(input, { key: "?" });
  expect(push).not.toHaveBeenCalled();
  expect(screen.queryByTestId("help")).toBeNull();
});
