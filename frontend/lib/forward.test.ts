import { expect, onTestFinished, test, vi } from "vitest";
import { forward } from "./forward";
import { serveAPI, serveNothing } from "./testing";

function get(path: string, timeoutMs?: number): Promise<Response> {
  return forward(new Request(`http://localhost:3000${path}`), timeoutMs);
}

test("200: passes on what the api says, and of the browser's request only the query and the session", async () => {
  const seen: { url?: string; cookie?: string; authorization?: string }[] = [];
  await serveAPI((request, response) => {
    const { cookie, authorization } = request.headers;
    seen.push({ url: request.url, cookie, authorization });
    response.setHeader("set-cookie", "a=b");
    response.end('{"events":[]}');
  });
  const request = new Request("http://localhost:3000/api/v1/history?limit=7", {
    headers: { cookie: "theme=dark; zr_session=of-ana; a=b", authorization: "Bearer secret" },
  });
  const response = await forward(request);
  expect(response.status).toBe(200);
  expect(await response.json()).toEqual({ events: [] });
  expect(response.headers.get("cache-control")).toBe("no-store");
  expect(response.headers.get("set-cookie")).toBeNull();
  expect(seen).toEqual([
    { url: "/api/v1/history?limit=7", cookie: "zr_session=of-ana", authorization: undefined },
  ]);
});

test("401: the api wants to know who asks", async () => {
  const seen: (string | undefined)[] = [];
  await serveAPI((request, response) => {
    seen.push(request.headers.cookie);
    response.writeHead(401);
    response.end('{"detail":"log in first"}');
  });
  const response = await get("/api/v1/activity");
  expect(response.status).toBe(401);
  const { code, message } = (await response.json()).error;
  expect(code).toBe("not_logged_in");
  expect(message).toContain("log in first");
  expect(seen).toEqual([undefined]);
});

test("401: who has no session is not asked for by the api, which would record it", async () => {
  let requests = 0;
  await serveAPI((_, response) => {
    requests++;
    response.end("{}");
  });
  const response = await get("/api/v1/session");
  expect(response.status).toBe(401);
  expect((await response.json()).error.code).toBe("not_logged_in");
  expect(requests).toBe(0);
});

test("404: a path off the list never reaches the api", async () => {
  let requests = 0;
  await serveAPI((_, response) => {
    requests++;
    response.end("{}");
  });
  const response = await get("/api/v1/secrets");
  expect(response.status).toBe(404);
  expect(await response.json()).toEqual({
    error: { code: "not_forwarded", message: "/api/v1/secrets is not forwarded to the api" },
  });
  expect(requests).toBe(0);
});

test("400: a bad query never reaches the api", async () => {
  await serveNothing();
  const response = await get("/api/v1/history?limit=-1");
  expect(response.status).toBe(400);
  expect((await response.json()).error.code).toBe("bad_query");
});

test("502: nothing listens", async () => {
  const url = await serveNothing();
  const response = await get("/api/v1/services");
  expect(response.status).toBe(502);
  expect(await response.json()).toEqual({
    error: {
      code: "api_unreachable",
      message: `reading /api/v1/services from ${url}: connection refused`,
    },
  });
});

test.each(["api:3001", "http://", "/api"])("502: %s is no address of an api", async (url) => {
  vi.stubEnv("API_URL", url);
  onTestFinished(() => {
    vi.unstubAllEnvs();
  });
  const response = await get("/api/v1/services");
  expect(response.status).toBe(502);
  const { error } = await response.json();
  expect(error.code).toBe("api_unreachable");
  expect(error.message).toMatch(/^API_URL of the frontend is no address/);
});

test("502: the api's own error, with its message", async () => {
  const url = await serveAPI((_, response) => {
    response.statusCode = 503;
    response.end(
      '{"type":"urn:zr:problem:database_unavailable","detail":"the database does not answer"}',
    );
  });
  const response = await get("/api/v1/history");
  expect(response.status).toBe(502);
  expect(await response.json()).toEqual({
    error: {
      code: "api_error",
      message: `reading /api/v1/history from ${url}: 503: the database does not answer`,
    },
  });
});

test("502: an error that is not the api's", async () => {
  await serveAPI((_, response) => {
    response.statusCode = 500;
    response.end("<html>oops</html>");
  });
  const { error } = await (await get("/api/v1/services")).json();
  expect(error.code).toBe("api_error");
  expect(error.message).toMatch(/: 500$/);
});

test("502: an answer that is not JSON", async () => {
  await serveAPI((_, response) => {
    response.end("<html></html>");
  });
  const response = await get("/api/v1/services");
  expect(response.status).toBe(502);
  expect((await response.json()).error.code).toBe("api_unexpected");
});

test("502: a redirect is not followed", async () => {
  await serveAPI((_, response) => {
    response.writeHead(302, { location: "http://127.0.0.1:1/" }).end();
  });
  const response = await get("/api/v1/services");
  expect(response.status).toBe(502);
  expect((await response.json()).error.code).toBe("api_unreachable");
});

test("504: the api does not answer in time", async () => {
  const url = await serveAPI(() => {});
  const response = await get("/api/v1/services", 30);
  expect(response.status).toBe(504);
  expect(await response.json()).toEqual({
    error: {
      code: "api_timeout",
      message: `reading /api/v1/services from ${url}: no answer within 30 ms`,
    },
  });
});

test("504: the api stops in the middle of its answer", async () => {
  await serveAPI((_, response) => {
    response.write('{"services":');
  });
  const response = await get("/api/v1/services", 50);
  expect(response.status).toBe(504);
});

test("a connection that died with the old process is tried again", async () => {
  let requests = 0;
  await serveAPI((request, response) => {
    requests++;
    if (requests === 2) {
      request.socket.destroy();
      return;
    }
    response.end("{}");
  });
  await get("/api/v1/services");
  const response = await get("/api/v1/services");
  expect(response.status).toBe(200);
  expect(requests).toBe(3);
});

test("credentials in API_URL stay out of messages", async () => {
  const url = await serveNothing();
  process.env.API_URL = url.replace("http://", "http://user:secret@");
  const body = await (await get("/api/v1/services")).text();
  expect(body).not.toContain("secret");
});
