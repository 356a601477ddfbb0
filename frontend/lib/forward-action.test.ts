import { expect, test } from "vitest";
import { forwardAction } from "./forward";
import { serveAPI } from "./testing";

const ORIGIN = "http://localhost:3000";
const asked = { origin: ORIGIN, host: "localhost:3000", "idempotency-key": "k-1" };

function post(path: string, headers: Record<string, string>, body?: string) {
  const length = body ? { "content-length": String(body.length) } : undefined;
  return forwardAction(
    new Request(ORIGIN + path, { method: "POST", headers: { ...headers, ...length }, body }),
  );
}

/** An api that notes what it is asked, and answers with a status. */
async function anAPI(status: number, answer: unknown) {
  const seen: unknown[] = [];
  const url = await serveAPI(async (request, response) => {
    let body = "";
    for await (const chunk of request) {
      body += chunk;
    }
    const { cookie, origin, "idempotency-key": key, "content-type": type } = request.headers;
    seen.push({ path: `${request.method} ${request.url}`, cookie, origin, key, type, body });
    response.writeHead(status).end(JSON.stringify(answer));
  });
  return { url, seen };
}

test("200: a change of a page of our own reaches the api, with its session and its key", async () => {
  const { url, seen } = await anAPI(200, { replicas: 2, ready: 2 });
  const response = await post(
    "/api/v1/services/api/scale",
    { ...asked, cookie: "a=b; zr_session=of-ana" },
    '{"replicas":2}',
  );
  expect(response.status).toBe(200);
  expect(await response.json()).toEqual({ replicas: 2, ready: 2 });
  expect(seen).toEqual([
    {
      path: "POST /api/v1/services/api/scale",
      cookie: "zr_session=of-ana",
      origin: url,
      key: "k-1",
      type: "application/json",
      body: '{"replicas":2}',
    },
  ]);
});

test.each([
  ["of another site", { origin: "http://evil.example" }],
  ["of another port", { origin: "http://localhost:3001" }],
  ["of no page", { origin: "null" }],
])("403: a change %s never reaches the api", async (_, headers) => {
  const { seen } = await anAPI(200, {});
  const response = await post("/api/v1/services/api/stop", { ...asked, ...headers });
  expect(response.status).toBe(403);
  expect((await response.json()).error.code).toBe("foreign_page");
  expect(seen).toEqual([]);
});

test("400: a change without a key never reaches the api", async () => {
  const { seen } = await anAPI(200, {});
  const response = await post("/api/v1/services/api/stop", { ...asked, "idempotency-key": "" });
  expect(response.status).toBe(400);
  expect(seen).toEqual([]);
});

test("404: nothing but services is changed", async () => {
  const { seen } = await anAPI(200, {});
  const response = await post("/api/v1/tokens", asked, "{}");
  expect(response.status).toBe(404);
  expect(seen).toEqual([]);
});

const refusals = [
  [401, "not_logged_in", "not_logged_in", 401],
  [403, "role_too_low", "not_allowed", 403],
  [404, "not_found", "refused", 409],
  [409, "confirm_required", "refused", 409],
  [503, "kubernetes_unavailable", "api_error", 502],
  [504, "not_in_effect", "not_in_effect", 504],
] as const;

test.each(refusals)("%d %s of the api is %s", async (status, type, code, answered) => {
  const dependents = ["web"];
  await anAPI(status, { type: `urn:zr:problem:${type}`, detail: "it says why", dependents });
  const response = await post("/api/v1/services/api/stop", asked);
  expect(response.status).toBe(answered);
  const { error } = await response.json();
  expect(error.code).toBe(code);
  expect(error.message).toContain("it says why");
  expect(error.dependents).toEqual(code === "refused" ? dependents : undefined);
});
