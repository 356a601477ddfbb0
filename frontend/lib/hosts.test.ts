import { expect, test } from "vitest";
import { isAllowedHost } from "./hosts";

test.each([
  "localhost",
  "localhost:3000",
  "LOCALHOST:3000",
  "zr.localhost:3000",
  "127.0.0.1:3000",
  "10.244.0.7:3000",
  "[::1]:3000",
  "[::1]",
  "frontend",
  "frontend:3000",
  "frontend.zr-dev.svc:3000",
  "frontend.zr-dev.svc.cluster.local.:3000",
])("%s is allowed", (host) => {
  expect(isAllowedHost(host, undefined)).toBe(true);
});

test.each([
  null,
  "",
  "evil.example",
  "evil.example:3000",
  "127.0.0.1.evil.example",
  "localhost.evil.example",
])("%s is not allowed", (host) => {
  expect(isAllowedHost(host, undefined)).toBe(false);
});

test("a listed name is allowed, and no other", () => {
  const allowed = "zr.example.com, dash.example.com";
  expect(isAllowedHost("dash.example.com:443", allowed)).toBe(true);
  expect(isAllowedHost("DASH.example.com", allowed)).toBe(true);
  expect(isAllowedHost("example.com", allowed)).toBe(false);
});
