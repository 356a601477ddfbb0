import { NextRequest } from "next/server";
import { expect, test } from "vitest";
import { proxy } from "./proxy";

function scriptSource() {
  const answer = proxy(new NextRequest("http://localhost:3000/"));
  const policy = answer.headers.get("content-security-policy") ?? "";
  return policy.split("; ").find((part) => part.startsWith("script-src")) ?? "";
}

test("no two pages share a nonce, and none lets other inline scripts run", () => {
  const first = scriptSource();
  expect(first).toMatch(/^script-src 'self' 'nonce-[A-Za-z0-9+/=]{20,}'$/);
  expect(scriptSource()).not.toBe(first);
});
