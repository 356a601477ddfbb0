import { expect, test, vi } from "vitest";
import { serveNothing } from "@/lib/testing";
import { version } from "@/package.json";
import { GET } from "./route";

test("200 with the build of the process, whether or not the api answers", async () => {
  await serveNothing();
  vi.stubEnv("ZR_BUILD_HASH", "41b7d93e5f0286ac");
  const response = GET();
  expect(response.status).toBe(200);
  expect(response.headers.get("cache-control")).toBe("no-store");
  expect(await response.json()).toEqual({ status: "ok", build: "41b7d93e5f0286ac", version });
});

test("outside of zr there is no build", async () => {
  vi.stubEnv("ZR_BUILD_HASH", undefined);
  expect((await GET().json()).build).toBe("");
  vi.unstubAllEnvs();
});
