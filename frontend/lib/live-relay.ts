import { request as httpRequest, type IncomingMessage } from "node:http";
import { request as httpsRequest } from "node:https";
import type { Socket } from "node:net";
import { admit, livePaths } from "./allow-list";
import { apiURL } from "./api-url";
import { isOwnOrigin } from "./hosts";
import { SESSION_COOKIE, sessionIn } from "./session";

/** The live views that are open: they end with this process, which otherwise waits for them. */
const relayed = new Set<Socket>();
process.on("SIGTERM", () => {
  for (const socket of relayed) {
    socket.destroy();
  }
});

/**
 * Passes a WebSocket of a live view on to the api, byte by byte, so that the
 * api feels how slow the browser is. It says whether the request is for it.
 */
export function relayLive(request: IncomingMessage, socket: Socket): boolean {
  const { pathname, searchParams } = new URL(request.url ?? "/", "http://dashboard");
  if (!livePaths.has(pathname)) {
    return false;
  }
  const admission = admit(pathname, searchParams);
  const base = apiURL();
  const key = request.headers["sec-websocket-key"];
  if (!isOwnOrigin(request.headers.origin ?? null, request.headers.host ?? null)) {
    refuse(socket, 403);
  } else if (admission.kind !== "allowed" || !key) {
    refuse(socket, 400);
  } else if (!base) {
    refuse(socket, 502);
  } else {
    relay(new URL(admission.target, base), key, sessionIn(request.headers.cookie ?? null), socket);
  }
  return true;
}

function relay(url: URL, key: string, session: string | undefined, socket: Socket): void {
  const ask = url.protocol === "https:" ? httpsRequest : httpRequest;
  const asked = ask(url, {
    headers: {
      connection: "Upgrade",
      upgrade: "websocket",
      "sec-websocket-version": "13",
      "sec-websocket-key": key,
      // Whose page asks was checked here: to the api it is a page of its own.
      origin: url.origin,
      ...(session && { cookie: `${SESSION_COOKIE}=${session}` }),
    },
  });
  asked.on("upgrade", (answer, upstream: Socket, head) => {
    relayed.add(socket);
    upstream.unshift(head);
    socket.write(
      `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${answer.headers["sec-websocket-accept"]}\r\n\r\n`,
    );
    socket.setTimeout(0);
    socket.setNoDelay(true);
    upstream.setNoDelay(true);
    socket.pipe(upstream).pipe(socket);
    upstream.on("error", () => socket.destroy());
    upstream.on("close", () => socket.destroy());
    // Who has gone says so by the end of what he sends: nothing is left to be sent to him.
    socket.on("end", () => socket.destroy());
    socket.on("close", () => {
      relayed.delete(socket);
      upstream.destroy();
    });
  });
  asked.on("response", (answer) => {
    answer.resume();
    refuse(socket, answer.statusCode ?? 502);
  });
  asked.on("error", () => refuse(socket, 502));
  socket.on("error", () => asked.destroy());
  asked.end();
}

function refuse(socket: Socket, status: number): void {
  socket.end(`HTTP/1.1 ${status} Refused\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
}
