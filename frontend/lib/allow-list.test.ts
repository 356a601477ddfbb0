import { expect, test } from "vitest";
import { admit } from "./allow-list";

test.each([
  ["/api/v1/services", "", "/api/v1/services"],
  ["/api/v1/history", "", "/api/v1/history"],
  ["/api/v1/history", "limit=1", "/api/v1/history?limit=1"],
  ["/api/v1/activity", "outcome=done&limit=5", "/api/v1/activity?limit=5&outcome=done"],
  ["/api/v1/history", "limit=500", "/api/v1/history?limit=500"],
  ["/api/v1/history", "cursor=MTI&service=redis", "/api/v1/history?service=redis&cursor=MTI"],
])("%s?%s is forwarded", (path, query, target) => {
  expect(admit(path, new URLSearchParams(query))).toEqual({ kind: "allowed", target });
});

test.each([
  "/api/v1",
  "/api/v1/",
  "/api/v1/services/",
  "/api/v1/services/../../metrics",
  "/api/v1/Services",
  "/api/v1/%73ervices",
  "/api/v2/services",
  "/health",
  "//evil.example/api/v1/services",
])("%s is unknown", (path) => {
  expect(admit(path, new URLSearchParams())).toEqual({ kind: "unknown" });
});

test.each([
  ["/api/v1/services", "limit=5"],
  ["/api/v1/history", "limit=0"],
  ["/api/v1/history", "limit=501"],
  ["/api/v1/history", "limit=1.5"],
  ["/api/v1/history", "limit=all"],
  ["/api/v1/history", "limit=5&debug=1"],
  ["/api/v1/history", "service=Redis"],
  ["/api/v1/history", "cursor="],
  ["/api/v1/activity", "outcome=maybe"],
])("%s?%s has a bad query", (path, query) => {
  expect(admit(path, new URLSearchParams(query)).kind).toBe("bad_query");
});
