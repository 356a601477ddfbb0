// @vitest-environment happy-dom
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { cleanup, fireEvent, render, screen } from "@testing-library/react";
import { afterEach, expect, test, vi } from "vitest";
import { aLine } from "../fixtures";
import type { Line } from "../schema";
import { type LogState, parseState } from "../search-params";
import { LineRow } from "./line-row";

afterEach(() => {
  cleanup();
  vi.unstubAllGlobals();
});

const onChange = vi.fn();
const onToggle = vi.fn();

function show(line: Partial<Line>, { opened = false, state = {} as Partial<LogState> } = {}) {
  const { container } = render(
    <QueryClientProvider client={new QueryClient()}>
      <LineRow
        line={aLine(line)}
        state={{ ...parseState(new URLSearchParams("time=utc")), ...state }}
        opened={opened}
        linked={false}
        now={0}
        onToggle={onToggle}
        onChange={onChange}
      />
    </QueryClientProvider>,
  );
  return container;
}

test("a line has its time, its service, its level, its message and its first fields", () => {
  const fields = Object.fromEntries(Array.from({ length: 8 }, (_, i) => [`k${i}`, `v${i}`]));
  show({ level: "error", fields });
  const text = screen.getByTestId("line").textContent;
  expect(text).toContain("20:59:00.123apierrorit works");
  expect(text).toContain("k5=v5");
  expect(text).toContain("and 2 more");
  fireEvent.click(screen.getByText("20:59:00.123"));
  expect(onToggle).toHaveBeenCalledExactlyOnceWith("1");
});

test("markup, escapes and changes of direction do nothing and are seen", () => {
  const message =
    '<script>globalThis.ran = 1</script><img src=x onerror="ran=1">\u001b]0;t\u0007\u202e';
  const container = show({ message });
  expect(container.querySelector("script, img")).toBeNull();
  const text = screen.getByTestId("line").textContent;
  expect(text).toContain("<script>globalThis.ran = 1</script>");
  expect(text).toContain("␛]0;t␇⟨U+202E⟩");
});

test("colours are parts with a class", () => {
  show({
    message: "all red",
    styles: [
      { at: 4, code: "31" },
      { at: 7, code: "" },
    ],
  });
  expect(screen.getByText("red").className).toBe("text-tone-red");
});

test("of a message of 1 MB the beginning is shown, until it is opened", () => {
  const message = "x".repeat(1_000_000);
  show({ message });
  expect(screen.getByTestId("line").textContent?.length).toBeLessThan(3_000);
  expect(screen.getByText(/998,000 more characters/)).toBeDefined();
  cleanup();
  show({ message }, { opened: true });
  expect(screen.getByTestId("line").textContent).toContain(message);
});

test("of 10,000 fields some are shown, and more on request", () => {
  const fields = Object.fromEntries(Array.from({ length: 10_000 }, (_, i) => [`k${i}`, "v"]));
  show({ fields }, { opened: true });
  const buttons = () => screen.getAllByTitle("Show only lines with this").length;
  expect(buttons()).toBe(100);
  fireEvent.click(screen.getByText("9,900 more fields"));
  expect(buttons()).toBe(200);
});

test("a field becomes a filter beside the others", () => {
  const state = { fields: ["a=b"] };
  show({ fields: { requestId: "of <ana>" } }, { opened: true, state });
  fireEvent.click(screen.getByText("of <ana>"));
  expect(onChange).toHaveBeenLastCalledWith({ fields: ["a=b", "requestId=of <ana>"] });
});

test("lines that are missing are counted where they are missing", () => {
  show({ skipped: 1_234 });
  expect(screen.getByTestId("skipped").textContent).toBe("api: skipped 1,234 lines");
});

test("what is around a line is asked for without the filters", async () => {
  const asked: string[] = [];
  vi.stubGlobal("fetch", async (path: string) => {
    asked.push(path);
    return Response.json({
      lines: [aLine({ id: "2" }), aLine({ id: "1" })],
      context: [
        { before: [], after: [] },
        {
          before: [
            aLine({ id: "0", message: "just before" }),
            aLine({ id: "-1", message: "first" }),
          ],
          after: [aLine({ id: "3", message: "after" })],
        },
      ],
      complete: true,
    });
  });
  show({}, { opened: true, state: { text: "works" } });
  fireEvent.click(screen.getByText("What is around it"));
  const around = await screen.findByTestId("around");
  expect(around.textContent).toMatch(/first.*just before.*it works.*after/);
  expect(asked[0]).not.toContain("&text=");
});

test("a line is copied as a text and as it came, and so is a link to it", async () => {
  const copied: string[] = [];
  vi.stubGlobal("navigator", {
    clipboard: { writeText: async (text: string) => copied.push(text) },
  });
  show({ fields: { a: "b" } }, { opened: true, state: { services: ["api"] } });
  for (const label of ["Copy the line", "Copy it as JSON", "Copy a link to it"]) {
    fireEvent.click(screen.getByText(label));
  }
  await vi.waitUntil(() => copied.length === 3);
  expect(copied[0]).toBe("2026-11-22T20:59:00.123Z api info it works a=b");
  expect(JSON.parse(copied[1] ?? "").message).toBe("it works");
  const link = new URL(copied[2] ?? "");
  expect(link.pathname).toBe("/logs");
  expect(link.searchParams.get("line")).toBe("1");
  expect(link.searchParams.get("to")).toBe("2026-11-22T20:59:00.123Z");
});
