// @vitest-environment happy-dom
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { act, cleanup, fireEvent, render, screen } from "@testing-library/react";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { someAnswers } from "@/lib/snapshot/fixtures";
import { KIND, type SnapshotFile, writeFile } from "@/lib/snapshot/format";
import { NOW } from "@/lib/stack/fixtures";
import { SnapshotClient } from "./client";
import { show } from "./opened";

const at = vi.hoisted(() => ({ path: "/snapshot", query: "" }));
vi.mock("next/navigation", () => ({
  usePathname: () => at.path,
  useSearchParams: () => new URLSearchParams(at.query),
  useRouter: () => ({ push: () => {} }),
}));
const saveAs = vi.hoisted(() => vi.fn((_name: string, text: string) => new Blob([text])));
vi.mock("@/lib/save-as", () => ({ saveAs }));

let answers: Record<string, unknown>;

beforeEach(() => {
  Object.assign(at, { path: "/snapshot", query: "" });
  answers = someAnswers();
  vi.stubGlobal("fetch", async (path: string) => {
    const url = new URL(path, "http://localhost");
    const of = answers[url.pathname];
    const answer = typeof of === "function" ? of(url.searchParams) : of;
    return answer === undefined
      ? Response.json({ error: { code: "api_error", message: "it is away" } }, { status: 502 })
      : Response.json(answer);
  });
});

afterEach(() => {
  act(() => show(undefined));
  cleanup();
  saveAs.mockClear();
  vi.unstubAllGlobals();
});

function begin(loggedIn = true) {
  render(
    <QueryClientProvider client={new QueryClient()}>
      <SnapshotClient environment={undefined} loggedIn={loggedIn} />
    </QueryClientProvider>,
  );
}

const button = () => screen.getByRole("button", { name: "Save a snapshot" });
const input = () => screen.getByLabelText("Choose a file, or drop it here");
const file = (text: string) => new File([text], "snapshot.json");

const empty: SnapshotFile = {
  ...{ kind: KIND, version: 1, takenAt: new Date(NOW).toISOString(), environment: "shop" },
  ...{ zr: "0.1.0", with: [], answers: {}, missing: [] },
};

test("what is saved is handed to the browser, and said with its size", async () => {
  begin();
  fireEvent.click(button());
  const said = await screen.findByTestId("saved");
  expect(said.textContent).toMatch(/^zr-shop-.*\.json, \d+ KB, is handed to the browser\.$/);
  expect(screen.queryByTestId("missing")).toBeNull();
  const [name, text] = saveAs.mock.calls[0] ?? [];
  expect(name).toMatch(/^zr-shop-/);
  expect(JSON.parse(text ?? "").with).toEqual([]);
});

test("what is chosen is in it", async () => {
  begin();
  fireEvent.click(screen.getByRole("checkbox", { name: /^Values/ }));
  fireEvent.click(screen.getByRole("checkbox", { name: /log lines/ }));
  fireEvent.click(screen.getByRole("checkbox", { name: /^Values/ }));
  fireEvent.click(button());
  await screen.findByTestId("saved");
  expect(JSON.parse(saveAs.mock.calls[0]?.[1] ?? "").with).toEqual(["lines"]);
});

test("what is missing is said, a few of many", async () => {
  begin(false);
  fireEvent.click(button());
  const missing = await screen.findByTestId("missing");
  expect(missing.children).toHaveLength(12);
  expect(missing.textContent).toContain("the settings This is for people who are logged in");
  expect(screen.getByText(/^and \d+ more$/)).toBeDefined();
});

test("where nothing is answered nothing is saved", async () => {
  answers = {};
  begin();
  fireEvent.click(button());
  await screen.findByText("Nothing is saved: it is away");
  expect(saveAs).not.toHaveBeenCalled();
});

test.each([
  ["save", () => button()],
  ["open", () => input()],
])("an address for %s has the focus there", (to, element) => {
  at.query = `for=${to}`;
  begin();
  expect(document.activeElement).toBe(element());
});

test("a file that is chosen or dropped is shown until it is closed", async () => {
  begin();
  fireEvent.change(input(), { target: { files: [file(writeFile(empty))] } });
  await screen.findByText("Snapshot of shop");
  expect(screen.queryByText(/could not be saved/)).toBeNull();
  fireEvent.click(screen.getByRole("button", { name: "Close it" }));
  const dataTransfer = { files: [file(writeFile({ ...empty, environment: "cart" }))] };
  fireEvent.drop(screen.getByTestId("open-snapshot"), { dataTransfer });
  await screen.findByText("Snapshot of cart");
});

test("a file that is none is refused, and the next one is read", async () => {
  begin();
  fireEvent.change(input(), { target: { files: [file("no")] } });
  await screen.findByText(/it is not in JSON/);
  expect(input().getAttribute("aria-invalid")).toBe("true");
  fireEvent.change(input(), { target: { files: [] } });
  fireEvent.change(input(), { target: { files: [file(writeFile(empty))] } });
  await screen.findByText("Snapshot of shop");
});

test("a file that the browser cannot read is told", async () => {
  begin();
  const gone = file("x");
  gone.text = () => Promise.reject(new Error("it was moved"));
  fireEvent.change(input(), { target: { files: [gone] } });
  await screen.findByText("The browser could not read it: it was moved");
});

test("an address of a screen without a file says where it would be from", () => {
  at.path = "/snapshot/history";
  begin();
  expect(screen.getByTestId("not-open").textContent).toContain("open its file");
});
