import { expect, test } from "vitest";
import { admit, admitChange } from "./allow-list";

test.each([
  ["/api/v1/services", "", "/api/v1/services"],
  ["/api/v1/services", "environment=dev", "/api/v1/services?environment=dev"],
  ["/api/v1/overview", "environment=dev", "/api/v1/overview?environment=dev"],
  ["/api/v1/environments", "", "/api/v1/environments"],
  ["/api/v1/uptime", "window=7d", "/api/v1/uptime?window=7d"],
  ["/api/v1/services/api/events", "", "/api/v1/services/api/events"],
  [
    "/api/v1/services/api/revisions",
    "environment=a",
    "/api/v1/services/api/revisions?environment=a",
  ],
  ["/api/v1/services/api/uptime", "window=1h", "/api/v1/services/api/uptime?window=1h"],
  ["/api/v1/history", "", "/api/v1/history"],
  ["/api/v1/history", "limit=1", "/api/v1/history?limit=1"],
  ["/api/v1/activity", "outcome=done&limit=5", "/api/v1/activity?limit=5&outcome=done"],
  [
    "/api/v1/activity",
    "target=dev/settings&action=changeSettings&actor=ana",
    "/api/v1/activity?actor=ana&action=changeSettings&target=dev%2Fsettings",
  ],
  ["/api/v1/history", "limit=500", "/api/v1/history?limit=500"],
  ["/api/v1/history", "cursor=MTI&service=redis", "/api/v1/history?cursor=MTI&service=redis"],
  [
    "/api/v1/logs",
    "service=api&service=redis&field=a%3Db&limit=5&order=oldest",
    "/api/v1/logs?service=api&service=redis&field=a%3Db&limit=5&order=oldest",
  ],
  ["/api/v1/logs/live", "after=41&text=x", "/api/v1/logs/live?text=x&after=41"],
  ["/api/v1/logs/export", "format=text", "/api/v1/logs/export?format=text"],
  ["/api/v1/dev", "environment=dev", "/api/v1/dev?environment=dev"],
  ["/api/v1/dev/live", "after=41", "/api/v1/dev/live?after=41"],
  ["/api/v1/dev/metrics", "window=1h", "/api/v1/dev/metrics?window=1h"],
  ["/api/v1/dev/doctor", "", "/api/v1/dev/doctor"],
  [
    "/api/v1/dev/events",
    "type=reload&type=problem&failed=true&limit=5",
    "/api/v1/dev/events?limit=5&type=reload&type=problem&failed=true",
  ],
  ["/api/v1/dev/events", "type=reload", "/api/v1/dev/events?type=reload"],
  ["/api/v1/configuration", "environment=a", "/api/v1/configuration?environment=a"],
  ["/api/v1/configuration/schema", "", "/api/v1/configuration/schema"],
  ["/api/v1/configuration/secrets", "", "/api/v1/configuration/secrets"],
  [
    "/api/v1/configuration/revisions",
    "limit=5&cursor=MTI",
    "/api/v1/configuration/revisions?limit=5&cursor=MTI",
  ],
  [
    "/api/v1/configuration/revisions/12",
    "against=9",
    "/api/v1/configuration/revisions/12?against=9",
  ],
])("%s?%s is forwarded", (path, query, target) => {
  expect(admit(path, new URLSearchParams(query))).toEqual({ kind: "allowed", target });
});

test.each([
  "/api/v1",
  "/api/v1/",
  "/api/v1/services/",
  "/api/v1/services/../../metrics",
  "/api/v1/Services",
  "/api/v1/services/api",
  "/api/v1/services/api/stop",
  "/api/v1/configuration/preview",
  "/api/v1/configuration/revisions/0",
  "/api/v1/configuration/revisions/12/restore",
  "/api/v1/configuration/secrets/PASSWORD",
  "/api/v1/services/API/uptime",
  "/api/v1/%73ervices",
  "/api/v2/services",
  "/health",
  "//evil.example/api/v1/services",
])("%s is unknown", (path) => {
  expect(admit(path, new URLSearchParams())).toEqual({ kind: "unknown" });
});

test.each([
  ["/api/v1/services", "limit=5"],
  ["/api/v1/services", "environment=../x"],
  ["/api/v1/environments", "environment=dev"],
  ["/api/v1/uptime", "window=1y"],
  ["/api/v1/history", "limit=0"],
  ["/api/v1/history", "limit=501"],
  ["/api/v1/history", "limit=1.5"],
  ["/api/v1/history", "limit=all"],
  ["/api/v1/history", "limit=5&debug=1"],
  ["/api/v1/history", "service=Redis"],
  ["/api/v1/history", "cursor="],
  ["/api/v1/activity", "outcome=maybe"],
  ["/api/v1/activity", "limit=5&limit=6"],
  ["/api/v1/activity", "action=a+b"],
  ["/api/v1/logs", "level=loud"],
  ["/api/v1/logs", "from=yesterday"],
  ["/api/v1/logs/live", "after=-1"],
  ["/api/v1/logs/export", ""],
  ["/api/v1/dev/live", "after=x"],
  ["/api/v1/dev/events", "type=login"],
  ["/api/v1/dev/events", "failed=maybe"],
  ["/api/v1/configuration", "against=9"],
  ["/api/v1/configuration/schema", "environment=a"],
  ["/api/v1/configuration/revisions/12", "against=0"],
])("%s?%s has a bad query", (path, query) => {
  expect(admit(path, new URLSearchParams(query)).kind).toBe("bad_query");
});

const SERVICES = "/api/v1/services";

test.each([
  ["/api/stop", "", undefined, "/api/stop", undefined],
  ["/api/stop", "environment=dev", undefined, "/api/stop?environment=dev", undefined],
  ["/api/stop", "confirm=true", undefined, "/api/stop?confirm=true", undefined],
  ["/api/restart", "", { ignored: 1 }, "/api/restart", undefined],
  ["/seed/run", "", undefined, "/seed/run", undefined],
  ["/api/rollback", "", { revision: 3 }, "/api/rollback", '{"revision":3}'],
  ["/my.api/scale", "", { replicas: 3 }, "/my.api/scale", '{"replicas":3}'],
])("%s?%s with %o changes a service", (path, query, body, target, sent) => {
  expect(admitChange("POST", SERVICES + path, new URLSearchParams(query), body)).toEqual({
    kind: "allowed",
    target: SERVICES + target,
    ...(sent && { body: sent }),
  });
});

test.each([
  ["/api/delete", "", undefined, "unknown"],
  ["/api", "", undefined, "unknown"],
  ["/a/b/stop", "", undefined, "unknown"],
  ["/API/stop", "", undefined, "unknown"],
  ["/api/stop", "confirm=1", undefined, "bad_query"],
  ["/api/start", "confirm=true", undefined, "bad_query"],
  ["/api/scale", "", undefined, "bad_query"],
  ["/api/rollback", "", { revision: 0 }, "bad_query"],
  ["/api/rollback", "", { replicas: 1 }, "bad_query"],
  ["/api/scale", "", { replicas: 101 }, "bad_query"],
  ["/api/scale", "", { replicas: 1, force: true }, "bad_query"],
])("%s?%s with %o changes nothing", (path, query, body, kind) => {
  expect(admitChange("POST", SERVICES + path, new URLSearchParams(query), body).kind).toBe(kind);
});

const CONFIGURATION = "/api/v1/configuration";

test.each([
  ["POST", "/preview", "", { text: "A: b" }, "/preview"],
  ["PUT", "", "environment=dev", { text: "A: b", reason: "why" }, "?environment=dev"],
  ["POST", "/revisions/7/restore", "", { reason: "why" }, "/revisions/7/restore"],
  ["PUT", "/secrets/PASSWORD", "confirm=true", { value: "v" }, "/secrets/PASSWORD?confirm=true"],
] as const)("%s %s?%s changes the configuration", (method, path, query, body, target) => {
  expect(admitChange(method, CONFIGURATION + path, new URLSearchParams(query), body)).toEqual({
    kind: "allowed",
    target: CONFIGURATION + target,
    body: JSON.stringify(body),
  });
});

test.each([
  ["POST", "", "", { text: "A: b", reason: "why" }, "unknown"],
  ["PUT", "/preview", "", { text: "A: b" }, "unknown"],
  ["PUT", "/revisions/7/restore", "", { reason: "why" }, "unknown"],
  ["POST", "/revisions/7", "", { reason: "why" }, "unknown"],
  ["PUT", "/secrets", "", { value: "v" }, "unknown"],
  ["PUT", "/secrets/a.b", "", { value: "v" }, "unknown"],
  ["PUT", "/secrets/A", "value=v", { value: "v" }, "bad_query"],
  ["PUT", "/secrets/A", "", {}, "bad_query"],
  ["PUT", "", "", { text: "A: b" }, "bad_query"],
  ["PUT", "", "confirm=true", { text: "A: b", reason: "why" }, "bad_query"],
  ["POST", "/preview", "", { text: "x".repeat(60_001) }, "bad_query"],
] as const)("%s %s?%s with %o changes nothing of it", (method, path, query, body, kind) => {
  const admission = admitChange(method, CONFIGURATION + path, new URLSearchParams(query), body);
  expect(admission.kind).toBe(kind);
});

test.each([
  ["POST", "/rebuild", { service: "api" }, "allowed"],
  ["POST", "/restart", { service: "api" }, "allowed"],
  ["POST", "/apply", undefined, "allowed"],
  ["POST", "/propose", { folder: "shop" }, "allowed"],
  ["POST", "/propose", { folder: "" }, "bad_query"],
  ["POST", "/configure", { service: "api" }, "unknown"],
  ["PUT", "/apply", undefined, "unknown"],
  ["POST", "/rebuild", { service: "../api" }, "bad_query"],
  ["POST", "/restart", undefined, "bad_query"],
] as const)("%s %s with %o of an attached zr dev is %s", (method, path, body, kind) => {
  expect(admitChange(method, `/api/v1/dev${path}`, new URLSearchParams(), body).kind).toBe(kind);
});
