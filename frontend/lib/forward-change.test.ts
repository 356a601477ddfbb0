import { expect, test } from "vitest";
import { forwardChange } from "./forward";
import { serveAPI } from "./testing";

const ORIGIN = "http://localhost:3000";
const asked = { origin: ORIGIN, host: "localhost:3000", "idempotency-key": "k-1" };

function ask(method: string, path: string, headers: Record<string, string>, body?: string) {
  const length = body ? { "content-length": String(body.length) } : undefined;
  return forwardChange(
    new Request(ORIGIN + path, { method, headers: { ...headers, ...length }, body }),
  );
}

function post(path: string, headers: Record<string, string>, body?: string) {
  return ask("POST", path, headers, body);
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
    const match = request.headers["if-match"];
    seen.push({ path: `${request.method} ${request.url}`, cookie, origin, key, match, type, body });
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
      match: undefined,
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

test("200: settings are put with their ETag, and nothing else of the headers", async () => {
  const { url, seen } = await anAPI(200, { revision: 7 });
  const headers = { ...asked, cookie: "zr_session=of-ana", "if-match": '"41"', authorization: "x" };
  const body = '{"text":"A: b\\n","reason":"why"}';
  const response = await ask("PUT", "/api/v1/configuration", headers, body);
  expect(await response.json()).toEqual({ revision: 7 });
  expect(seen).toEqual([
    {
      path: "PUT /api/v1/configuration",
      cookie: "zr_session=of-ana",
      origin: url,
      key: "k-1",
      match: '"41"',
      type: "application/json",
      body,
    },
  ]);
});

test.each(["*", "41", '"a", "b"'])("400: If-Match %s never reaches the api", async (match) => {
  const { seen } = await anAPI(200, {});
  const headers = { ...asked, "if-match": match };
  const response = await ask("PUT", "/api/v1/configuration", headers, '{"text":"","reason":"x"}');
  expect(response.status).toBe(400);
  expect(seen).toEqual([]);
});

test("422: what is wrong with a text comes with its place", async () => {
  await anAPI(422, {
    type: "urn:zr:problem:invalid",
    detail: "these are no settings",
    errors: [
      { location: "body.text", message: "expected text", line: 2, column: 7, more: 1 },
      { location: "Deployment/api", message: "it is refused" },
    ],
  });
  const response = await post("/api/v1/configuration/preview", asked, '{"text":"A: [1]"}');
  expect(response.status).toBe(422);
  expect((await response.json()).error).toEqual({
    code: "invalid",
    message: "these are no settings",
    faults: [
      { message: "expected text", line: 2, column: 7 },
      { message: "Deployment/api: it is refused" },
    ],
  });
});

test("400: a change without a key never reaches the api", async () => {
  const { seen } = await anAPI(200, {});
  const response = await post("/api/v1/services/api/stop", { ...asked, "idempotency-key": "" });
  expect(response.status).toBe(400);
  expect(seen).toEqual([]);
});

test("404: nothing off the list is changed", async () => {
  const { seen } = await anAPI(200, {});
  const response = await post("/api/v1/tokens", asked, "{}");
  expect(response.status).toBe(404);
  expect(seen).toEqual([]);
});

const refusals = [
  [401, "not_logged_in", "not_logged_in", 401],
  [403, "role_too_low", "not_allowed", 403],
  [404, "not_found", "refused", 409],
  [412, "changed_meanwhile", "changed_meanwhile", 412],
  [502, "dev_failed", "dev_failed", 502],
  [504, "timeout", "dev_failed", 502],
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
