import { once } from "node:events";
import { createServer, request, type Server } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, expect, test } from "vitest";
import { gateServers } from "./server-gate";

/** Short, so that the test is; nothing is asserted of how long it took. */
const HEADERS_TIMEOUT_MS = 200;

let server: Server;
let port: number;

beforeAll(async () => {
  gateServers(HEADERS_TIMEOUT_MS);
  server = createServer((_, response) => response.end("passed"));
  server.on("upgrade", (_, socket) => socket.end("HTTP/1.1 101 Switching Protocols\r\n\r\n"));
  server.keepAliveTimeout = 60_000;
  await once(server.listen(0, "127.0.0.1"), "listening");
  port = (server.address() as AddressInfo).port;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

async function ask(method: string, path: string, host: string) {
  const asked = request({ port, method, path, headers: { host }, agent: false });
  asked.end();
  const [response] = await once(asked, "response");
  return { status: response.statusCode, headers: response.headers, text: await text(response) };
}

test.each([
  ["/", "localhost:3000", 200],
  ["/", "evil.example:3000", 421],
  ["/_next/static/chunk.js", "evil.example", 421],
  ["/icon.svg", "evil.example", 421],
  ["/healthy", "evil.example", 421],
  ["/health", "evil.example", 200],
])("%s under the name %s: %i", async (path, host, status) => {
  const answer = await ask("GET", path, host);
  expect(answer.status).toBe(status);
  expect(answer.text).toContain(status === 200 ? "passed" : "hint: add it to ALLOWED_HOSTS");
});

test("405: TRACE", async () => {
  const answer = await ask("TRACE", "/health", "localhost");
  expect(answer.status).toBe(405);
  expect(answer.headers.allow).toBe("GET, HEAD, POST, PUT");
});

test.each([
  ["localhost", "101 Switching"],
  ["evil.example", "421 Refused"],
])("a WebSocket under the name %s: %s", async (host, said) => {
  const socket = connect(port, "127.0.0.1");
  socket.write(
    `GET / HTTP/1.1\r\nHost: ${host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n`,
  );
  expect(await text(socket)).toContain(said);
});

test("headers that do not end are not waited for, on a new connection and on one that asked before", async () => {
  const fresh = connect(port, "127.0.0.1");
  fresh.write("GET / HTTP/1.1\r\nHost: localhost\r\n");
  expect(await text(fresh)).toContain("408 Request Timeout");
  const used = connect(port, "127.0.0.1");
  used.write("GET / HTTP/1.1\r\nHost: localhost\r\n\r\nGET / HTTP/1.1\r\nHost: ");
  const said = await text(used);
  expect(said).toContain("passed");
  expect(said).toContain("408 Request Timeout");
});
