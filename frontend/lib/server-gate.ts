import { subscribe } from "node:diagnostics_channel";
import { type IncomingMessage, Server, type ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { isAllowedHost } from "./hosts";
import { relayLive } from "./live-relay";

/**
 * How long a client may take for the headers of a request, from the connection
 * or the end of the answer before. Node.js has 60 s, looks every 30 s, and so
 * holds a connection for 90; a browser sends its headers in one packet.
 */
const HEADERS_TIMEOUT_MS = 10_000;

/** How long it may take for a whole request: what has a body is small. */
const REQUEST_TIMEOUT_MS = 30_000;

/**
 * Has every HTTP server of this process, which Next.js makes, turn away what it
 * must not see: requests under a name that somebody else could own, static
 * files included, the method TRACE, of which Next.js makes an error of its own,
 * and clients that keep a connection open without asking anything.
 */
export function gateServers(headersTimeoutMs = HEADERS_TIMEOUT_MS): void {
  const gated = new WeakSet<Server>();
  subscribe("net.server.socket", (message) => {
    const { socket } = message as { socket: Socket & { server?: unknown } };
    const { server } = socket;
    if (!(server instanceof Server)) {
      return;
    }
    if (!gated.has(server)) {
      gated.add(server);
      gate(server);
    }
    connections.set(socket, new Connection(socket, headersTimeoutMs));
  });
}

const connections = new WeakMap<Socket, Connection>();

/** Ends a socket on which no request is open and the headers of the next do not come. */
class Connection {
  private open = 0;
  private timer?: NodeJS.Timeout;

  constructor(
    private readonly socket: Socket,
    private readonly timeoutMs: number,
  ) {
    socket.once("close", () => clearTimeout(this.timer));
    this.wait();
  }

  asked(answer: ServerResponse): void {
    this.taken();
    answer.once("close", () => {
      this.open--;
      if (this.open === 0 && !this.socket.destroyed) {
        this.wait();
      }
    });
  }

  /** Counts as one that is asked for good. */
  taken(): void {
    this.open++;
    clearTimeout(this.timer);
  }

  private wait(): void {
    this.timer = setTimeout(() => {
      this.socket.end("HTTP/1.1 408 Request Timeout\r\nConnection: close\r\n\r\n");
      this.socket.destroySoon();
    }, this.timeoutMs);
    this.timer.unref();
  }
}

function gate(server: Server): void {
  server.requestTimeout = REQUEST_TIMEOUT_MS;
  const emit: (this: Server, event: string, ...parts: unknown[]) => boolean = server.emit;
  server.emit = function (this: Server, event: string, ...parts: unknown[]): boolean {
    if (event === "request") {
      const [request, answer] = parts as [IncomingMessage, ServerResponse];
      connections.get(request.socket)?.asked(answer);
      const refused = refusal(request);
      if (refused) {
        const allow = refused.status === 405 ? { allow: "GET, HEAD, POST, PUT" } : {};
        answer.writeHead(refused.status, { "content-type": "text/plain; charset=utf-8", ...allow });
        answer.end(refused.text);
        return true;
      }
    }
    if (event === "upgrade") {
      const [request, socket] = parts as [IncomingMessage, Socket];
      connections.get(request.socket)?.taken();
      const refused = refusal(request);
      if (refused) {
        socket.end(`HTTP/1.1 ${refused.status} Refused\r\nConnection: close\r\n\r\n`);
        return true;
      }
      if (relayLive(request, socket)) {
        return true;
      }
    }
    return emit.call(this, event, ...parts);
  };
}

interface Refusal {
  status: 405 | 421;
  text: string;
}

/** Says why a request is turned away. Probes say nothing that is worth protecting. */
function refusal(request: IncomingMessage): Refusal | undefined {
  const { host } = request.headers;
  if (request.url !== "/health" && !isAllowedHost(host ?? null)) {
    return {
      status: 421,
      text: `The dashboard does not answer under the name ${JSON.stringify(host ?? "")}.\nhint: add it to ALLOWED_HOSTS\n`,
    };
  }
  if (request.method === "TRACE") {
    return { status: 405, text: "The dashboard takes GET, HEAD, POST and PUT.\n" };
  }
  return undefined;
}
