// @vitest-environment happy-dom
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { cleanup, fireEvent, render, screen, within } from "@testing-library/react";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { anAttached } from "@/lib/dev/fixtures";
import type { Attached } from "@/lib/dev/schema";
import { failed, type Outcome } from "@/lib/problem";
import { aService, NOW } from "@/lib/stack/fixtures";
import type { Service, Services } from "@/lib/stack/schema";
import { SetupClient } from "./client";
import type { Finding, Proposal } from "./schema";

vi.mock("next/navigation", () => ({
  useRouter: () => ({ push: vi.fn() }),
  useSearchParams: () => new URLSearchParams("folder=services/mail"),
}));

/** What the attached zr dev finds and proposes, and what it was asked. */
let findings: Finding[] | undefined;
let proposal: Proposal | undefined;
let role: string;
let asked: { path: string; body: unknown }[];

const gone = { code: "dev_failed", message: "the zr dev that was asked has gone" };

beforeEach(() => {
  findings = [];
  proposal = undefined;
  role = "operator";
  asked = [];
  vi.stubGlobal("fetch", async (path: string, init?: RequestInit) => {
    if (init?.method === "POST") {
      asked.push({ path, body: JSON.parse(String(init.body)) });
      return proposal
        ? Response.json(proposal)
        : Response.json({ error: { code: "refused", message: "no such folder" } }, { status: 409 });
    }
    if (path.startsWith("/api/v1/dev/doctor")) {
      return findings
        ? Response.json({ findings })
        : Response.json({ error: gone }, { status: 502 });
    }
    return path === "/api/v1/session"
      ? Response.json({ name: "ana", role })
      : new Promise<Response>(() => {});
  });
});

afterEach(() => {
  cleanup();
  vi.unstubAllGlobals();
});

function stackOf(services: Service[], kubernetes: Partial<Services["kubernetes"]> = {}) {
  const data: Services = {
    namespace: "shop",
    kubernetes: { status: "ok", latencyMs: 2, reason: "", ...kubernetes },
    services,
  };
  return { ok: true, data } as const;
}

const able = anAttached({ actions: ["examine", "propose"] });

function show(
  attached: Attached[],
  services: Outcome<Services> = stackOf([aService()]),
  refusal?: ReturnType<typeof failed>,
) {
  render(
    <QueryClientProvider client={new QueryClient()}>
      <SetupClient
        services={services}
        attached={refusal ?? { ok: true, data: { attached } }}
        renderedAt={NOW}
      />
    </QueryClientProvider>,
  );
}

const textsOf = (testid: string) =>
  [...screen.getByTestId(testid).children].map(({ textContent }) => textContent);

test("what keeps zr from working is first, each with the command that mends it", async () => {
  findings = [
    { name: "engine", status: "ok", detail: "docker 29", hint: "", command: "" },
    { name: "clock", status: "warn", detail: "2 s behind", hint: "set it", command: "" },
    { name: "port 3000", status: "fail", detail: "is taken", hint: "", command: "zr doctor --fix" },
  ];
  show([able]);
  await screen.findByTestId("checklist");
  expect(textsOf("checklist")).toEqual([
    "port 3000to be mendedis takenzr doctor --fixCopy",
    "clockto be known2 s behindset it",
    "enginein orderdocker 29",
  ]);
  expect(screen.getByTestId("verdict").textContent).toBe("1 thing keeps zr from working");
  findings = [{ name: "engine", status: "ok", detail: "docker 29", hint: "", command: "" }];
  fireEvent.click(screen.getByRole("button", { name: "Look again" }));
  await screen.findByText("Everything is in order");
});

test("a command is copied", async () => {
  const writeText = vi.fn(async () => {});
  vi.stubGlobal("navigator", { ...navigator, clipboard: { writeText } });
  show([]);
  fireEvent.click(screen.getAllByRole("button", { name: "Copy" })[0] as HTMLElement);
  await screen.findByText("Copied");
  expect(writeText).toHaveBeenCalledExactlyOnceWith("zr dev");
});

test("a zr dev that goes while it is asked is told, and asked again", async () => {
  findings = undefined;
  show([able]);
  expect((await screen.findByTestId("problem")).textContent).toContain("has gone");
  findings = [];
  fireEvent.click(screen.getByRole("button", { name: "Try now" }));
  await screen.findByText("Everything is in order");
});

test.each([
  ["nobody", [], "Start one in the folder of the project"],
  ["a zr up", [anAttached({ verb: "up", actions: ["examine"] })], "are looked at by an attached"],
  ["an older zr dev", [anAttached()], "is of a version that does not tell"],
])("where %s is attached, the commands are shown", (_, attached, text) => {
  show(attached);
  expect(screen.getByTestId("nobody-examines").textContent).toContain(text);
  expect(screen.queryByRole("region", { name: "Add a service" })).toBeNull();
});

test("what the api sees of the cluster is there without anybody", () => {
  show([], stackOf([aService(), aService({ name: "web", state: "unhealthy" })]));
  expect(textsOf("cluster")).toEqual([
    "Kubernetesin orderanswers the api in 2.0 ms",
    "Servicesto be known1 of 2 are healthyzr upCopy",
  ]);
  cleanup();
  show([], stackOf([aService()], { status: "down", reason: "timeout" }));
  expect(textsOf("cluster")[0]).toContain("does not answer the api");
});

test("an empty environment has what to do first", () => {
  show([], stackOf([]));
  expect(within(screen.getByTestId("first-run")).getAllByRole("listitem")).toHaveLength(3);
  expect(textsOf("cluster")[1]).toBe("Servicesto be knownthere are nonezr upCopy");
});

test("a folder gets the exact lines that make a service of it", async () => {
  proposal = {
    service: "mail",
    kind: "go",
    because: "services/mail has a main package",
    port: 8080,
    edits: [
      { file: "config/dev.yaml", new: false, under: "services", text: "  mail:\n    go: {}\n" },
      { file: "kustomize/mail.yaml", new: true, under: "", text: "kind: Deployment\n" },
    ],
  };
  show([able]);
  const input = screen.getByLabelText<HTMLInputElement>("Folder of the project");
  expect(input.value).toBe("services/mail");
  await vi.waitUntil(
    () => screen.getByText<HTMLButtonElement>("Show the lines").disabled === false,
  );
  fireEvent.click(screen.getByText("Show the lines"));
  expect((await screen.findByTestId("proposal")).textContent).toBe(
    "mail is built as a Go program, and listens at port 8080. services/mail has a main package" +
      "config/dev.yamlat the end of services:Copy  mail:\n    go: {}\n" +
      "kustomize/mail.yamla new fileCopykind: Deployment\n" +
      "Save them, and the attached zr dev brings it up.",
  );
  expect(asked).toEqual([{ path: "/api/v1/dev/propose", body: { folder: "services/mail" } }]);
});

test("a folder that is none says so", async () => {
  show([able]);
  fireEvent.click(screen.getByText("Show the lines"));
  expect((await screen.findByTestId("problem")).textContent).toContain("no such folder");
});

test("a viewer may look, and not ask for lines", async () => {
  role = "viewer";
  show([able]);
  expect((await screen.findByTestId("why-not")).textContent).toContain("ana is a viewer");
  expect(screen.getByText<HTMLButtonElement>("Show the lines").disabled).toBe(true);
});

test("who is not logged in is told how to, and sees what everybody may", () => {
  show([], stackOf([aService()]), failed("not_logged_in", "this browser has no session"));
  expect(screen.getByTestId("problem").textContent).toContain("zr dashboard");
  expect(screen.getByTestId("cluster")).toBeDefined();
  expect(screen.queryByTestId("nobody-examines")).toBeNull();
});
