// @vitest-environment happy-dom
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { act, cleanup, fireEvent, render, screen, within } from "@testing-library/react";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { anAttached } from "@/lib/dev/fixtures";
import { POLL_MS } from "@/lib/freshness";
import { failed, type Outcome, type Problem, problemStatus } from "@/lib/problem";
import { NOW } from "@/lib/stack/fixtures";
import { ConfigurationClient } from "./client";
import { aPreview, aRevision, aSecret, someSettings } from "./fixtures";
import type { Settings } from "./schema";
import { partOf } from "./search-params";

const push = vi.hoisted(() => vi.fn());
vi.mock("next/navigation", () => ({ useRouter: () => ({ push }) }));

/** What the dashboard's own server answers, by method and path below the configuration. */
let answers: Record<string, () => Response | Promise<Response>>;
/** What was asked to be changed. */
let asked: { at: string; body: unknown; match: string | undefined; key: string | undefined }[];
let now: Settings;

const BASE = "/api/v1/configuration";

beforeEach(() => {
  vi.useFakeTimers({ now: NOW });
  sessionStorage.clear();
  asked = [];
  now = someSettings();
  answers = {
    "GET ": () => Response.json(now),
    "GET /schema": () =>
      Response.json({
        description: "Settings become the ConfigMap.",
        additionalProperties: { type: ["string", "number", "boolean"] },
      }),
    "GET /revisions?limit=30": () => Response.json({ revisions: [] }),
    "GET /secrets": () => Response.json({ secrets: [aSecret()] }),
    "POST /preview": () => Response.json(aPreview()),
    session: () => Response.json({ name: "ana", role: "operator" }),
    dev: () => Response.json({ attached: [] }),
  };
  vi.stubGlobal("fetch", async (path: string, init: RequestInit = {}) => {
    const { method = "GET", body, headers } = init;
    if (!path.startsWith(BASE)) {
      return answers[path.replace("/api/v1/", "")]?.();
    }
    const at = `${method} ${path.slice(BASE.length)}`;
    if (method !== "GET") {
      const { "if-match": match, "idempotency-key": key } = headers as Record<string, string>;
      asked.push({ at, body: JSON.parse(String(body)), match, key });
    }
    return answers[at]?.() ?? refusal({ code: "not_forwarded", message: at });
  });
});

afterEach(() => {
  cleanup();
  push.mockReset();
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

function refusal(problem: Problem): Response {
  return Response.json({ error: problem }, { status: problemStatus[problem.code] });
}

function pass(ms = 1_000) {
  return act(async () => {
    await vi.advanceTimersByTimeAsync(ms);
    await vi.advanceTimersByTimeAsync(1);
  });
}

async function show(
  query: Record<string, string> = {},
  settings: Outcome<Settings> = { ok: true, data: now },
) {
  const client = new QueryClient({ defaultOptions: { queries: { networkMode: "always" } } });
  const shown = render(
    <QueryClientProvider client={client}>
      <ConfigurationClient part={partOf(query)} settings={settings} renderedAt={NOW} />
    </QueryClientProvider>,
  );
  await pass(1);
  return shown;
}

const value = (key: string) => screen.getByLabelText<HTMLTextAreaElement>(`Value of ${key}`);
const write = (key: string, text: string) =>
  fireEvent.change(value(key), { target: { value: text } });
const button = (name: string) => screen.getByRole<HTMLButtonElement>("button", { name });
const reasonField = () => screen.getByLabelText(/^Why, for those/);
const giveReason = (text: string) => fireEvent.change(reasonField(), { target: { value: text } });

test("settings say who reads them, where they are from and what they may be", async () => {
  await show();
  expect(value("LOG_LEVEL").value).toBe("info");
  expect(screen.getByTestId("setting-LOG_LEVEL").textContent).toContain("read by api");
  expect(screen.getByTestId("setting-SIZE").textContent).toContain("no pod reads it");
  expect(screen.getByTestId("source").textContent).toBe("config/dev.yaml");
  expect(screen.getByTestId("shape").textContent).toContain("string, number, or boolean");
  expect(screen.queryByTestId("drift")).toBeNull();
});

test("a change is previewed as it is written, saved with a reason, and told", async () => {
  answers["PUT "] = () => {
    now = someSettings({ etag: '"2"', revision: 8, source: "revision 8 by ana: why" });
    return Response.json({ ...aPreview(), revision: 8, etag: '"2"' });
  };
  await show();
  write("LOG_LEVEL", "debug");
  await pass();
  expect(asked).toMatchObject([
    { at: "POST /preview", body: { text: '"LOG_LEVEL": "debug"\n"SIZE": "1"\n' } },
  ]);
  expect(screen.getByTestId("effects").textContent).toContain("Rolls api.");
  expect(button("Save").disabled).toBe(true);
  expect(screen.getByText("Say why.")).toBeDefined();
  giveReason("to see more");
  fireEvent.click(button("Save"));
  await pass();
  expect(asked[1]).toMatchObject({
    at: "PUT ",
    match: '"1"',
    body: { text: '"LOG_LEVEL": "debug"\n"SIZE": "1"\n', reason: "to see more" },
  });
  expect(screen.getByTestId("saved").textContent).toContain("Revision 8 is in effect.");
  expect(screen.getByTestId("saved").textContent).toContain("The pods of api are replaced");
  expect(sessionStorage).toHaveLength(0);
});

test("what is wrong is at its row, and cannot be saved", async () => {
  const faults = [{ message: "expected text", line: 2, column: 7 }, { message: "api needs it" }];
  answers["POST /preview"] = () =>
    refusal({ code: "invalid", message: "these are no settings", faults });
  await show();
  write("SIZE", "x");
  giveReason("why");
  await pass();
  expect(screen.getByTestId("setting-SIZE").textContent).toContain("expected text");
  expect(screen.getByTestId("refusal").textContent).toContain("Line 2, column 7: expected text");
  expect(screen.getByTestId("refusal").textContent).toContain("api needs it");
  expect(button("Save").disabled).toBe(true);
});

test("a setting is removed, brought back, and another one added", async () => {
  await show();
  fireEvent.click(button("Remove SIZE"));
  await pass();
  expect(asked.at(-1)?.body).toEqual({ text: '"LOG_LEVEL": "info"\n' });
  fireEvent.click(button("Undo SIZE"));
  fireEvent.click(button("Add a setting"));
  expect(document.activeElement?.getAttribute("aria-label")).toBe("Name of the new setting");
  fireEvent.change(screen.getByLabelText("Name of the new setting"), { target: { value: "N" } });
  write("N", "1");
  await pass();
  expect(asked.at(-1)?.body).toEqual({ text: '"LOG_LEVEL": "info"\n"SIZE": "1"\n"N": "1"\n' });
  fireEvent.click(button("Discard"));
  expect(screen.queryByTestId("setting-N")).toBeNull();
});

test("a draft is there after a reload, with its reason", async () => {
  const { unmount } = await show();
  write("LOG_LEVEL", "debug");
  giveReason("why");
  unmount();
  await show();
  expect(value("LOG_LEVEL").value).toBe("debug");
  expect(reasonField()).toHaveProperty("value", "why");
});

test("what others have changed meanwhile is settled, and nothing that was written is lost", async () => {
  await show();
  write("LOG_LEVEL", "debug");
  giveReason("why");
  now = someSettings({
    etag: '"2"',
    settings: [
      { key: "LOG_LEVEL", value: "error", usedBy: ["Deployment/api"] },
      { key: "SIZE", value: "9", usedBy: [] },
    ],
  });
  await pass(2 * POLL_MS);
  const level = within(screen.getByTestId("way-LOG_LEVEL"));
  expect(level.getByText("info")).toBeDefined();
  expect(screen.getByTestId("way-SIZE").textContent).toContain("taken");
  expect(button("Save").disabled).toBe(true);
  expect(button("Go on with these").disabled).toBe(true);
  fireEvent.click(level.getByLabelText(/Yours/));
  fireEvent.click(button("Go on with these"));
  expect(screen.queryByTestId("conflict")).toBeNull();
  expect(value("LOG_LEVEL").value).toBe("debug");
  expect(value("SIZE").value).toBe("9");
  expect(reasonField()).toHaveProperty("value", "why");
  answers["PUT "] = () => refusal({ code: "api_error", message: "away" });
  await pass();
  fireEvent.click(button("Save"));
  await pass();
  expect(asked.at(-1)).toMatchObject({ at: "PUT ", match: '"2"' });
});

test("a change that was refused because of another one shows both", async () => {
  answers["PUT "] = () => {
    now = someSettings({
      etag: '"2"',
      settings: [{ key: "LOG_LEVEL", value: "error", usedBy: [] }],
    });
    return refusal({ code: "changed_meanwhile", message: "read them again" });
  };
  await show();
  write("LOG_LEVEL", "debug");
  giveReason("why");
  await pass();
  fireEvent.click(button("Save"));
  await pass();
  expect(screen.getByTestId("conflict")).toBeDefined();
  expect(value("LOG_LEVEL").value).toBe("debug");
});

test("settings that are written anew and say the same are no conflict", async () => {
  await show();
  write("LOG_LEVEL", "debug");
  now = someSettings({ etag: '"2"' });
  await pass(2 * POLL_MS);
  expect(screen.queryByTestId("conflict")).toBeNull();
});

test("a request that got no answer is made again under its key", async () => {
  answers["PUT "] = () => refusal({ code: "api_unreachable", message: "connection reset" });
  await show();
  write("LOG_LEVEL", "debug");
  giveReason("why");
  await pass();
  for (let i = 0; i < 2; i++) {
    fireEvent.click(button("Save"));
    await pass();
  }
  const keys = asked.filter(({ at }) => at === "PUT ").map(({ key }) => key);
  expect(keys[0]).toMatch(/^[\w-]+$/);
  expect(keys[1]).toBe(keys[0]);
  expect(screen.getByText(/connection reset/)).toBeDefined();
});

test("settings that are not those of the file say what differs, and both ways to settle it", async () => {
  now = someSettings({ revision: 8, source: "revision 8 by ana: why" });
  const ofFile = aRevision({ revision: 7, author: "zr", reason: "config/staging.yaml" });
  answers["GET /revisions?limit=30"] = () =>
    Response.json({ revisions: [aRevision({ revision: 8 }), ofFile] });
  const changes = [{ key: "LOG_LEVEL", old: "warning", new: "info" }];
  answers["GET /revisions/8?against=7"] = () =>
    Response.json({ ...aRevision({ revision: 8 }), text: "", changes });
  await show();
  await pass();
  const drift = screen.getByTestId("drift");
  expect(drift.textContent).toContain("other settings than config/staging.yaml");
  expect(drift.textContent).toContain("warning");
  expect(drift.textContent).toContain("zr config pull --env staging");
  expect(drift.textContent).toContain("zr up --overwrite --env staging");
  answers["GET /revisions/7"] = () => Response.json({ ...ofFile, text: "A: b\n", changes: [] });
  answers["POST /revisions/7/restore"] = () =>
    Response.json({ ...aPreview(), revision: 9, etag: '"3"' });
  fireEvent.click(button("Put it back now"));
  await pass();
  giveReason("the file is right");
  fireEvent.click(button("Go back"));
  await pass();
  expect(asked.at(-1)).toMatchObject({ at: "POST /revisions/7/restore", match: '"1"' });
  expect(screen.getByTestId("saved").textContent).toContain("Revision 9 is in effect.");
});

test("where a zr dev is attached, it is said that the file gets it", async () => {
  answers.dev = () =>
    Response.json({ attached: [anAttached({ actions: ["rebuild", "configure"] })] });
  await show();
  write("LOG_LEVEL", "debug");
  await pass();
  expect(screen.getByText(/The attached zr dev writes it into/)).toBeDefined();
});

test("workloads that are behind are rolled by the same settings", async () => {
  now = someSettings({ behind: ["Deployment/api"] });
  answers["POST /preview"] = () => Response.json(aPreview({ changes: [] }));
  await show();
  expect(screen.getByTestId("behind").textContent).toContain("api was not rolled");
  fireEvent.click(button("Write them again"));
  giveReason("the rest");
  await pass();
  expect(button("Save").disabled).toBe(false);
});

test("a viewer reads everything, changes nothing, and is told why", async () => {
  answers.session = () => Response.json({ name: "eve", role: "viewer" });
  await show();
  expect(value("LOG_LEVEL").readOnly).toBe(true);
  expect(screen.getByTestId("why-not").textContent).toContain("eve is a viewer");
  expect(screen.queryByText("Add a setting")).toBeNull();
});

test.each(["settings", "revisions", "secrets"])(
  "who is not logged in is told how to, at %s, and asks again only by hand",
  async (tab) => {
    const problem: Problem = { code: "not_logged_in", message: "no session" };
    answers["GET "] = () => refusal(problem);
    await show({ tab }, { ok: false, problem });
    await pass(5 * POLL_MS);
    expect(screen.getByTestId("problem").textContent).toContain("zr dashboard");
  },
);

test("an api that is away is told, and its return shows the settings", async () => {
  const away = failed("api_unreachable", "connection refused");
  answers["GET "] = () => refusal(away.problem);
  await show({}, away);
  expect(screen.getByTestId("problem").dataset.code).toBe("api_unreachable");
  answers["GET "] = () => Response.json(now);
  await pass(POLL_MS + 1_000);
  expect(screen.queryByTestId("problem")).toBeNull();
  expect(value("LOG_LEVEL").value).toBe("info");
});

test("revisions have an author, a time and a reason, and one is gone back to", async () => {
  const old = aRevision({ revision: 6, author: "zr", reason: "config/dev.yaml" });
  now = someSettings({ revision: 7 });
  answers["GET /revisions?limit=30"] = () =>
    Response.json({ revisions: [aRevision(), old], next: "older" });
  answers["GET /revisions/6"] = () =>
    Response.json({ ...old, text: "LOG_LEVEL: info\n", changes: aPreview().changes });
  answers["POST /revisions/6/restore"] = () =>
    refusal({ code: "not_in_effect", message: "0 of 1 pods are ready" });
  await show({ tab: "revisions", revision: "6" });
  await pass();
  const items = screen.getByTestId("revisions").textContent;
  expect(items).toContain("7to see moreana1 min ago");
  expect(items).toContain("in effect");
  expect(items).toContain("As config/dev.yaml had it");
  expect(screen.getByTestId("revision-text").textContent).toBe("LOG_LEVEL: info\n");
  expect(screen.getByRole("link", { name: "Older" }).getAttribute("href")).toBe(
    "/configuration?tab=revisions&cursor=older",
  );
  fireEvent.change(screen.getByLabelText("from"), { target: { value: "7" } });
  expect(push).toHaveBeenCalledWith("/configuration?tab=revisions&revision=6&against=7");
  fireEvent.click(button("Go back to it"));
  await pass();
  giveReason("it was better");
  fireEvent.click(button("Go back"));
  await pass();
  const dialog = within(screen.getByTestId("restore-dialog"));
  expect(dialog.getByText("0 of 1 pods are ready")).toBeDefined();
});

test("without its database, revisions say so, and without a change there are none", async () => {
  answers["GET /revisions?limit=30"] = () =>
    refusal({ code: "api_error", message: "the database does not answer" });
  await show({ tab: "revisions" });
  expect(screen.getByTestId("unread").textContent).toContain("the database does not answer");
  answers["GET /revisions?limit=30"] = () => Response.json({ revisions: [] });
  await pass(POLL_MS + 1_000);
  expect(screen.getByTestId("no-revisions")).toBeDefined();
});

test("secrets have names, ages and readers, and one is set and never shown", async () => {
  answers["PUT /secrets/PASSWORD"] = () =>
    refusal({ code: "refused", message: "volumes", dependents: ["StatefulSet/postgres"] });
  answers["PUT /secrets/PASSWORD?confirm=true"] = () =>
    Response.json({ rolls: ["Deployment/api"], later: ["Job/seed"] });
  const { container } = await show({ tab: "secrets" });
  await pass();
  expect(container.textContent).toContain("made 2 h ago, changed 1 h ago");
  expect(screen.getByTestId("secret-secrets").textContent).toContain("read by postgres");
  fireEvent.click(button("Set PASSWORD"));
  const field = screen.getByLabelText<HTMLInputElement>("New value");
  expect(field.type).toBe("password");
  field.value = "planted";
  fireEvent.click(button("Set"));
  await pass();
  expect(screen.getByTestId("volumes").textContent).toContain("postgres has a volume");
  fireEvent.click(button("Set it all the same"));
  await pass();
  expect(asked.at(-1)).toMatchObject({ body: { value: "planted" } });
  expect(asked.at(-1)?.key).not.toBe(asked.at(-2)?.key);
  expect(screen.getByTestId("secret-set").textContent).toContain("PASSWORD is set.");
  expect(screen.getByTestId("secret-set").textContent).toContain("seed will read it");
  expect(document.body.innerHTML).not.toContain("planted");
  expect(JSON.stringify(sessionStorage) + location.href).not.toContain("planted");
});

test("a secret that is not zr's is shown, and one that a viewer looks at is not set", async () => {
  const registry = aSecret({ name: "registry", settable: false, keys: [] });
  answers["GET /secrets"] = () => Response.json({ secrets: [aSecret(), registry] });
  answers.session = () => Response.json({ name: "eve", role: "viewer" });
  await show({ tab: "secrets" });
  await pass();
  expect(screen.getByText("not zr's: it is only shown")).toBeDefined();
  expect(button("Set PASSWORD").disabled).toBe(true);
  expect(button("Add a secret").disabled).toBe(true);
  expect(screen.getByTestId("why-not")).toBeDefined();
});

test("an environment without secrets says how to have some", async () => {
  answers["GET /secrets"] = () => Response.json({ secrets: [] });
  await show({ tab: "secrets" });
  await pass();
  expect(screen.getByTestId("no-secrets").textContent).toContain("config/secrets/");
});
