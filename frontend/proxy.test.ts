import { NextRequest } from "next/server";
import { expect, test } from "vitest";
import { config, proxy } from "./proxy";

function ask(host: string): Response {
  return proxy(new NextRequest("http://localhost:3000/", { headers: { host } }));
}

test("421: a name that somebody else could own", async () => {
  const response = ask("evil.example:3000");
  expect(response.status).toBe(421);
  expect(await response.text()).toContain("hint: add it to ALLOWED_HOSTS");
});

test("200: this machine's own name", () => {
  expect(ask("localhost:3000").headers.get("x-middleware-next")).toBe("1");
});

test.each([
  ["/", true],
  ["/api/v1/services", true],
  ["/healthy", true],
  ["/health", false],
  ["/_next/static/chunk.js", false],
  ["/icon.svg", false],
])("%s is checked: %s", (path, checked) => {
  expect(new RegExp(`^${config.matcher[0]}$`).test(path)).toBe(checked);
});
