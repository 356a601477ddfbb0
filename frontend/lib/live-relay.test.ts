import { once } from "node:events";
import { createServer, request, type Server } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { relayLive } from "./live-relay";
import { serveAPI, serveNothing } from "./testing";

/** The dashboard's own server, of which only what is upgraded is asked. */
async function serveDashboard(): Promise<number> {
  const server: Server = createServer();
  server.on("upgrade", (asked, socket) => {
    if (!relayLive(asked, socket as Socket)) {
      socket.end("HTTP/1.1 418 Somebody Else\r\n\r\n");
    }
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

/** Asks for a WebSocket; the answer, and the connection where there is one. */
async function upgrade(port: number, path: string, headers: Record<string, string> = {}) {
  const host = `127.0.0.1:${port}`;
  const asked = request({
    port,
    host: "127.0.0.1",
    path,
    headers: {
      connection: "Upgrade",
      upgrade: "websocket",
      "sec-websocket-version": "13",
      "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
      origin: `http://${host}`,
      host,
      ...headers,
    },
  });
  asked.end();
  return new Promise<{ status?: number; socket?: Socket; accept?: string }>((resolve) => {
    asked.once("upgrade", (answer, socket) => {
      onTestFinished(() => void socket.destroy());
      const accept = answer.headers["sec-websocket-accept"];
      resolve({ status: answer.statusCode, socket: socket as Socket, accept });
    });
    asked.once("response", (answer) => resolve({ status: answer.statusCode }));
  });
}

/** An api that takes WebSockets, and sends back whatever comes over them. */
async function serveEcho() {
  const seen: unknown[] = [];
  const url = await serveAPI(
    (_, response) => response.writeHead(401).end(),
    (asked, socket) => {
      const { origin, cookie, "sec-websocket-key": key } = asked.headers;
      seen.push({ path: asked.url, origin, cookie, key });
      onTestFinished(() => void socket.destroy());
      socket.on("error", () => {});
      socket.write(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: yes\r\n\r\n",
      );
      socket.pipe(socket);
    },
  );
  return { url, seen };
}

test("101: a view of a page of our own reaches the api, and bytes go both ways", async () => {
  const { url, seen } = await serveEcho();
  const port = await serveDashboard();
  const { status, socket, accept } = await upgrade(port, "/api/v1/logs/live?service=api&after=7", {
    cookie: "a=b; zr_session=of-ana",
  });
  expect([status, accept]).toEqual([101, "yes"]);
  expect(seen).toEqual([
    {
      path: "/api/v1/logs/live?service=api&after=7",
      origin: url,
      cookie: "zr_session=of-ana",
      key: "dGhlIHNhbXBsZSBub25jZQ==",
    },
  ]);
  socket?.write("hello");
  const [bytes] = await once(socket as Socket, "data");
  expect(String(bytes)).toBe("hello");
});

test("a browser that leaves is noticed by the api", async () => {
  let gone = () => {};
  const left = new Promise<void>((resolve) => {
    gone = resolve;
  });
  await serveAPI(
    () => {},
    (_, socket) => {
      socket.on("end", gone);
      socket.resume();
      socket.write("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n");
      socket.write("Connection: Upgrade\r\nSec-WebSocket-Accept: yes\r\n\r\n");
    },
  );
  const { socket } = await upgrade(await serveDashboard(), "/api/v1/logs/live");
  socket?.destroy();
  await left;
});

test.each([
  ["403: a page of another site", "/api/v1/logs/live", { origin: "http://evil.example" }, 403],
  ["400: a query off the list", "/api/v1/logs/live?debug=1", {}, 400],
  ["418: another path is for somebody else", "/_next/hmr", {}, 418],
])("%s never reaches the api", async (_, path, headers: Record<string, string>, status) => {
  const { seen } = await serveEcho();
  const answer = await upgrade(await serveDashboard(), path, headers);
  expect(answer.status).toBe(status);
  expect(seen).toEqual([]);
});

test("401: what the api refuses is refused alike", async () => {
  await serveAPI((_, response) => response.writeHead(401).end());
  const answer = await upgrade(await serveDashboard(), "/api/v1/logs/live");
  expect(answer.status).toBe(401);
});

test("502: nothing listens", async () => {
  await serveNothing();
  const answer = await upgrade(await serveDashboard(), "/api/v1/logs/live");
  expect(answer.status).toBe(502);
});
