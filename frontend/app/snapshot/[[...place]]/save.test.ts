import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { someAnswers } from "@/lib/snapshot/fixtures";
import { MOST_BYTES, readFile, writeFile } from "@/lib/snapshot/format";
import { Snapshot } from "@/lib/snapshot/snapshot";
import { aService } from "@/lib/stack/fixtures";
import { historyPath, servicesPath } from "@/lib/stack/queries";
import { historySchema, servicesSchema } from "@/lib/stack/schema";
import { partOf as historyPart } from "../../history/part";
import { detailsSchema } from "../../services/[name]/details";
import { linesIn } from "./lines";
import { MOST_LINES } from "./parts";
import { takeSnapshot } from "./save";

/** What the api answers by its path without the query; a number is the status of a refusal. */
let answers: Record<string, unknown>;
let asked: URL[];

beforeEach(() => {
  answers = someAnswers();
  asked = [];
  vi.stubGlobal("fetch", async (path: string) => {
    const url = new URL(path, "http://localhost");
    asked.push(url);
    const of = answers[url.pathname] ?? 404;
    const answer = typeof of === "function" ? of(url.searchParams) : of;
    return typeof answer === "number"
      ? Response.json(
          { error: { code: "api_error", message: `status ${answer}` } },
          { status: 502 },
        )
      : Response.json(answer);
  });
});

afterEach(() => {
  vi.unstubAllGlobals();
});

function take(rest: Partial<Parameters<typeof takeSnapshot>[0]> = {}) {
  const { signal } = new AbortController();
  return takeSnapshot({ environment: undefined, loggedIn: true, chosen: [], signal, ...rest });
}

const missing = ({ missing }: { missing: { what: string }[] }) => missing.map(({ what }) => what);

test("everything that the screens ask for is in the file, and what is opened is what was saved", async () => {
  const file = await take({ chosen: ["values", "lines"] });
  expect(file.missing).toEqual([]);
  expect(file.environment).toBe("shop");
  const again = readFile(writeFile(file));
  expect(again).toEqual(file);
  const snapshot = new Snapshot(again);
  expect(snapshot.outcome(servicesPath(undefined), servicesSchema)).toEqual({
    ok: true,
    data: servicesSchema.parse(answers["/api/v1/services"]),
  });
  expect(snapshot.outcome("/api/v1/services/api/details", detailsSchema)).toEqual({
    ok: true,
    data: detailsSchema.parse(answers["/api/v1/services/api/details"]),
  });
});

test("of an environment it is asked for that one, and the file does not depend on its name", async () => {
  const file = await take({ environment: "shop" });
  const others = ["/api/v1/activity", "/api/v1/configuration/schema"];
  const scoped = asked.filter(({ pathname }) => !others.includes(pathname));
  expect(scoped.every(({ searchParams }) => searchParams.get("environment") === "shop")).toBe(true);
  const rest = asked.filter(({ pathname }) => others.includes(pathname));
  expect(rest.every(({ searchParams }) => !searchParams.has("environment"))).toBe(true);
  expect(JSON.stringify(Object.keys(file.answers))).not.toContain("environment");
});

test("what is refused or away is missing with its reason, and the rest is saved", async () => {
  answers["/api/v1/history"] = 503;
  answers["/api/v1/services/api/events"] = 503;
  const file = await take();
  expect(new Set(missing(file))).toEqual(
    new Set(["the history", "the newest changes", "the history of api", "the events of api"]),
  );
  expect(file.missing[0]).toMatchObject({ code: "api_error", message: "status 503" });
  const snapshot = new Snapshot(file);
  const history = snapshot.outcome(historyPath(historyPart({})), historySchema);
  expect(history).toEqual({ ok: false, problem: { code: "api_error", message: "status 503" } });
  expect(snapshot.outcome(servicesPath(undefined), servicesSchema).ok).toBe(true);
});

test("without the services the rest is saved", async () => {
  answers["/api/v1/services"] = 503;
  const file = await take({ environment: "shop" });
  expect(missing(file)).toEqual(["the services"]);
  expect(file.environment).toBe("shop");
});

test("where nothing is answered there is no file, and the reason", async () => {
  answers = {};
  await expect(take()).rejects.toMatchObject({ code: "api_error", message: "status 404" });
});

test("who is not logged in is refused nothing, since he asks for nothing that is for others", async () => {
  const file = await take({ loggedIn: false, chosen: ["lines"] });
  const paths = asked.map(({ pathname }) => pathname);
  for (const closed of [/activity/, /configuration/, /dev/, /logs/, /details/, /revisions/]) {
    expect(paths.filter((path) => closed.test(path))).toEqual([]);
  }
  expect(new Set(file.missing.map(({ code }) => code))).toEqual(new Set(["not_logged_in"]));
  expect(missing(file)).toEqual(expect.arrayContaining(["the activity", "the log lines"]));
});

test("pages are read on, so that the way to older ones leads somewhere", async () => {
  answers["/api/v1/history"] = (query: URLSearchParams) => ({
    events: [],
    ...(query.get("cursor") !== "three" && {
      next: query.get("cursor") === "two" ? "three" : "two",
    }),
  });
  const { answers: saved } = await take();
  for (const cursor of [undefined, "two", "three"]) {
    expect(Object.keys(saved)).toContain(historyPath({ ...historyPart({}), cursor }));
  }
});

test("of the lines the newest are saved, where they were chosen", async () => {
  let n = 0;
  answers["/api/v1/logs"] = (query: URLSearchParams) => ({
    lines: Array.from({ length: 900 }, () => ({
      id: String(10_000 - n++),
      time: "2026-11-22T21:00:00Z",
      service: "api",
      message: "x",
    })),
    next: `after ${query.get("cursor")}`,
    complete: true,
  });
  const found = linesIn(new Snapshot(await take({ chosen: ["lines"] })));
  expect(found.ok && found.data).toHaveLength(MOST_LINES);
  expect(found.ok && found.data.at(-1)?.id).toBe("10000");
  asked = [];
  const without = linesIn(new Snapshot(await take()));
  expect(without).toMatchObject({ ok: false, problem: { code: "not_in_snapshot" } });
  expect(asked.some(({ pathname }) => pathname === "/api/v1/logs")).toBe(false);
});

test("where nothing was written yet, that is in the file", async () => {
  answers["/api/v1/logs"] = { lines: [], complete: true };
  expect(linesIn(new Snapshot(await take({ chosen: ["lines"] })))).toEqual({ ok: true, data: [] });
});

test("a file never gets larger than one that can be opened, and names what had no room", async () => {
  const line = { time: "2026-11-22T21:00:00Z", service: "api", message: "x".repeat(64_000) };
  answers["/api/v1/logs"] = (query: URLSearchParams) => ({
    lines: Array.from({ length: 1_000 }, (_, i) => ({ ...line, id: `${query.get("cursor")}${i}` })),
    next: "on",
    complete: true,
  });
  const file = await take({ chosen: ["lines"] });
  const found = linesIn(new Snapshot(file));
  expect(found.ok && found.data.length).toBeGreaterThan(600);
  expect(found.ok && found.data.length).toBeLessThan(MOST_LINES);
  expect(missing(file)).toEqual(["older log lines"]);
  expect(new Blob([writeFile(file)]).size).toBeLessThan(MOST_BYTES);
});

test("the same of what else is large", async () => {
  const events = Array.from({ length: 200 }, () => ({
    ...{ at: "2026-11-22T21:00:00Z", warning: true, object: "Pod/api", reason: "BackOff" },
    message: "x".repeat(10_000),
  }));
  answers["/api/v1/services"] = {
    ...(answers["/api/v1/services"] as object),
    services: Array.from({ length: 30 }, (_, i) => aService({ name: `api-${i}`, kind: "Job" })),
  };
  for (let i = 0; i < 30; i++) {
    for (const what of ["details", "uptime"]) {
      answers[`/api/v1/services/api-${i}/${what}`] = answers[`/api/v1/services/api/${what}`];
    }
    answers[`/api/v1/services/api-${i}/events`] = { events };
  }
  const file = await take();
  expect(file.missing.length).toBeGreaterThan(0);
  expect(missing(file).every((what) => what.startsWith("the events of"))).toBe(true);
  expect(new Blob([writeFile(file)]).size).toBeLessThan(MOST_BYTES);
  expect(readFile(writeFile(file))).toEqual(file);
});

test("it can be ended, and says how far it is", async () => {
  const told: string[] = [];
  await take({ onProgress: (answered, of) => told.push(`${answered} of ${of}`) });
  expect(told[0]).toBe("1 of 2");
  const [answered, of] = told.at(-1)?.split(" of ") ?? [];
  expect(answered).toBe(of);
  const ended = new AbortController();
  ended.abort(new Error("left"));
  await expect(take({ signal: ended.signal })).rejects.toThrow("left");
});
