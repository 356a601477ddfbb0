// A small HTTP server that speaks the api's protocol and says what a test
// tells it to: states that a healthy stack does not get into on request.

import { createHash } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import { configurationOf } from "./configuration.mjs";

const HOUR = 3_600_000;

/** The session of the one who is logged in; a state has another one where that has ended. */
export const SESSION = "of-ana";

/** Whether who asks has the session that the api knows. */
function isKnown(state, request) {
  return request.headers.cookie === `zr_session=${state.session ?? SESSION}`;
}

/** What is for who is logged in, also where guests may look. */
const FOR_SESSIONS =
  /^\/api\/v1\/(activity|configuration|dev|logs|overview|session|services\/[^/]+\/(details|revisions)$)/;

/** What the api reads from its database, which historyError takes away. */
const IN_DATABASE =
  /^\/api\/v1\/(activity|configuration\/revisions|dev\/(events|metrics)|history|logs|(services\/[^/]+\/)?uptime)/;

/** A service as the api reports it. */
export function service(name, kind, rest = {}) {
  return {
    name,
    kind,
    state: "healthy",
    ready: 1,
    desired: 1,
    restarts: 0,
    startedAt: new Date(Date.now() - 2 * HOUR).toISOString(),
    ...rest,
  };
}

/** The environments that a state has, the first of them first. */
function environments(state) {
  return Object.keys(state.environments ?? { "zr-test": true });
}

/** The past of a service: healthy, with one step that was not, and one in which nobody looked. */
export function past(service, rest = {}) {
  const step = (state, i, uptime) => ({
    at: new Date(Date.now() - (12 - i) * 300_000).toISOString(),
    state,
    ...(uptime !== undefined && { uptime, p95: 0.7 + uptime }),
  });
  const share = { healthy: 3_000, unhealthy: 0, starting: 0, stopped: 0, unknown: 0, uptime: 0.97 };
  return {
    service,
    state: "healthy",
    uptime: { hour: share, day: share, week: share },
    latency: { asked: 700, unanswered: 3, p50: 0.4, p95: 0.9, p99: 3.2 },
    points: [
      step("unknown", 0),
      step("stopped", 1),
      step("starting", 2, 0.4),
      step("unhealthy", 3, 0.2),
      ...Array.from({ length: 8 }, (_, i) => step("healthy", i + 4, 1)),
    ],
    ...rest,
  };
}

/** Those of one service, as its report has them: without its name. */
function outagesOf({ outages = [] }, name) {
  return outages.filter(({ service }) => service === name).map(({ service, ...rest }) => rest);
}

/** What each service uses, and its last change; while the database is away without the name of who made it. */
function overviewOf({ overview, historyError }, services) {
  const at = new Date(Date.now() - HOUR).toISOString();
  const lastChange = { at, what: "deployed", with: "zr", ...(!historyError && { by: "ana" }) };
  return {
    services: services.map(({ name, kind, ready }) => ({
      name,
      ...(kind && {
        use: {
          running: ready,
          measured: ready,
          cpuCores: 0.013 * ready,
          memoryBytes: 41_000_000 * ready,
          memoryBytesLimit: 268_435_456 * ready,
        },
        lastChange,
      }),
    })),
    ...(historyError && { namesWhy: `the database does not answer: ${historyError}` }),
    ...overview,
  };
}

/** What a service is made of: a container with a probe, a port, and a variable of each sort. */
export function details(name, rest = {}) {
  return {
    name,
    kind: "Deployment",
    rolledOutAt: new Date(Date.now() - HOUR).toISOString(),
    ports: [{ service: name, number: 3001 }],
    containers: [
      {
        name,
        image: `localhost/zr/${name}@sha256:c2d9e8134f60`,
        ports: [{ name: "http", number: 3001 }],
        probes: [
          {
            of: "readiness",
            kind: "http",
            asks: "GET :3001/health",
            everySeconds: 5,
            timeoutSeconds: 2,
            failures: 3,
          },
        ],
        env: [
          { name: "LOG_LEVEL", value: "info", from: "ConfigMap/settings", key: "LOG_LEVEL" },
          { name: "PASSWORD", secret: true, from: "Secret/secrets", key: "PASSWORD" },
        ],
        requests: { cpu: "50m", memory: "64Mi" },
        limits: { memory: "256Mi" },
      },
    ],
    pods: [
      {
        name: `${name}-7d9c5-x2x4p`,
        createdAt: new Date(Date.now() - HOUR).toISOString(),
        node: "zr-control-plane",
        address: "10.244.0.7",
        answer: {
          by: "api",
          status: "ready",
          asks: "GET :3001/health",
          text: "200 OK",
          latencyMs: 0.8,
          at: new Date().toISOString(),
        },
        containers: [
          {
            name,
            image: "",
            state: "running",
            ready: true,
            restarts: 0,
            cpuCores: 0.013,
            memoryBytes: 41_000_000,
          },
        ],
      },
    ],
    ...rest,
  };
}

/** The stack in good health. */
export function healthyStack() {
  return [
    service("postgres", "StatefulSet", {
      image: "localhost/zr/postgres@sha256:7a41f0c2b39d7a41f0c2b39d",
      measured: { status: "ok", latencyMs: 0.734 },
    }),
    service("redis", "StatefulSet", {
      image: "localhost/zr/redis@sha256:0be3914d55af0be3914d55af",
      measured: { status: "ok", latencyMs: 0.312 },
    }),
    service("api", "Deployment", {
      image: "localhost/zr/api@sha256:c2d9e8134f60c2d9e8134f60",
      build: "8d1f62c07ab34e95",
      measured: { status: "ok", latencyMs: 0 },
    }),
    service("frontend", "Deployment", {
      image: "localhost/zr/frontend@sha256:f00d5a2b91c4f00d5a2b91c4",
      build: "41b7d93e5f0286ac",
    }),
  ];
}

/**
 * Starts the server on a free port. `state` may be changed at any time; its
 * onAction answers changes of services, closed is for who has the session alone, and what
 * holds a path is awaited before it is answered.
 */
export async function startUpstream(state) {
  const server = createServer(async (request, response) => {
    const { pathname: path, searchParams } = new URL(request.url, "http://upstream");
    const environment = searchParams.get("environment") ?? environments(state)[0];
    if (state.hang) {
      return;
    }
    await state.holds?.(path);
    if (state.error) {
      return send(response, 503, problem("unavailable", state.error));
    }
    const refused = state.closed || (state.session && FOR_SESSIONS.test(path));
    if (refused && !isKnown(state, request)) {
      state.refused = (state.refused ?? 0) + 1;
      return send(response, 401, problem("not_logged_in", "log in first"));
    }
    if (path === "/api/v1/environments") {
      return send(response, 200, { environments: environments(state).map((name) => ({ name })) });
    }
    if (!environments(state).includes(environment)) {
      return send(response, 404, problem("not_found", "there is no such environment"));
    }
    if (state.historyError && IN_DATABASE.test(path)) {
      return send(response, 503, problem("database_unavailable", state.historyError));
    }
    if (path.startsWith("/api/v1/configuration") && state.configuration) {
      return configurationOf(state, request, (status, body) => send(response, status, body));
    }
    if (path.startsWith("/api/v1/dev")) {
      return answerDev(state, request, response, path, searchParams);
    }
    if (path === "/api/v1/services") {
      return send(response, 200, {
        namespace: environment,
        observedAt: new Date().toISOString(),
        kubernetes: state.kubernetes ?? { status: "ok", latencyMs: 2.1 },
        services: state.environments?.[environment] ?? state.services,
      });
    }
    if (path === "/api/v1/overview") {
      return isKnown(state, request)
        ? send(
            response,
            200,
            overviewOf(state, state.environments?.[environment] ?? state.services),
          )
        : send(response, 401, problem("not_logged_in", "log in first"));
    }
    if (path === "/api/v1/uptime") {
      return send(response, 200, { services: state.past ?? [], outages: state.outages ?? [] });
    }
    const [, past] = /^\/api\/v1\/services\/([^/]+)\/uptime$/.exec(path) ?? [];
    if (past) {
      const of = state.past?.find((each) => each.service === past);
      return of
        ? send(response, 200, { ...of, outages: outagesOf(state, past) })
        : send(response, 404, problem("not_found", "no such service was seen"));
    }
    if (path.endsWith("/events")) {
      return send(response, 200, { events: state.told ?? [] });
    }
    const [, detailed] = /^\/api\/v1\/services\/([^/]+)\/details$/.exec(path) ?? [];
    if (detailed) {
      return send(response, 200, state.details ?? details(detailed));
    }
    if (path.endsWith("/revisions")) {
      return send(response, 200, { revisions: state.revisions ?? [] });
    }
    if (path === "/api/v1/history") {
      return send(response, 200, { events: state.events ?? [], next: state.next });
    }
    if (path === "/api/v1/activity") {
      return isKnown(state, request)
        ? send(response, 200, { records: state.records ?? [], next: state.next })
        : send(response, 401, problem("not_logged_in", "log in first"));
    }
    if (path === "/api/v1/session") {
      return send(response, 200, { name: "ana", role: state.role ?? "operator" });
    }
    if (path === "/api/v1/logs/counts") {
      return send(response, 200, { counts: state.counts ?? [] });
    }
    if (path === "/api/v1/logs") {
      if (state.search) {
        return send(response, 200, state.search(searchParams));
      }
      const newest = (state.lines ?? []).toReversed();
      return send(response, 200, { lines: newest, complete: true });
    }
    const [, name, action] = /^\/api\/v1\/services\/([^/]+)\/(\w+)$/.exec(path) ?? [];
    if (action && request.method === "POST") {
      return state.onAction(name, action, (status, body) => send(response, status, body));
    }
    send(response, 404, problem("not_found", "no such path"));
  });
  /** Who watches, by the path. */
  const views = new Map();
  server.on("upgrade", (request, socket) => {
    const { pathname } = new URL(request.url, "http://upstream");
    if (state.noViews) {
      socket.destroy();
      return;
    }
    socket.write(acceptance(request));
    if (pathname === DEV_LIVE) {
      socket.write(textFrame(JSON.stringify({ attached: state.attached ?? [], events: [] })));
    }
    socket.on("error", () => {});
    socket.on("end", () => socket.destroy());
    socket.on("close", () => views.delete(socket));
    socket.resume();
    views.set(socket, pathname);
  });
  const port = await new Promise((resolve) => {
    server.listen(0, "127.0.0.1", () => resolve(server.address().port));
  });
  const toWatchers = (path, body) => {
    for (const [socket] of [...views].filter(([, watched]) => watched === path)) {
      socket.write(textFrame(JSON.stringify(body)));
    }
  };
  return {
    url: `http://127.0.0.1:${port}`,
    /** Waits until somebody watches a path. */
    watched: async (path) => {
      while (![...views.values()].includes(path)) {
        await once(server, "upgrade");
      }
    },
    /** Tells all who watch what runs of zr do of events, the oldest first, and who is attached. */
    tellRuns: (frame) => {
      state.attached = frame.attached ?? state.attached;
      state.runEvents = [...(frame.events ?? []).toReversed(), ...(state.runEvents ?? [])];
      toWatchers(DEV_LIVE, { events: [], ...frame });
    },
    /** Sends lines to all who watch. */
    write: (lines) => toWatchers("/api/v1/logs/live", lines),
    /** Tells all who watch of services that changed. */
    tell: (...changed) =>
      toWatchers("/api/v1/live/services", {
        kubernetes: { status: "ok", latencyMs: 2.1 },
        changed,
        removed: [],
      }),
    /** Breaks the connections of all who watch. */
    interrupt: () => {
      for (const socket of views.keys()) {
        socket.destroy();
      }
    },
    stop: () =>
      new Promise((resolve) => {
        server.close(resolve);
        server.closeAllConnections();
        for (const socket of views.keys()) {
          socket.destroy();
        }
      }),
    /** Listens again on the same port after stop. */
    start: () => new Promise((resolve) => server.listen(port, "127.0.0.1", resolve)),
  };
}

const DEV_LIVE = "/api/v1/dev/live";

/** What runs of zr do, to who is logged in; the events are the newest first. */
function answerDev(state, request, response, path, query) {
  if (!isKnown(state, request)) {
    return send(response, 401, problem("not_logged_in", "log in first"));
  }
  if (request.method === "POST") {
    return state.onAction("dev", path.split("/").at(-1), (status, body) =>
      send(response, status, body),
    );
  }
  if (path === "/api/v1/dev") {
    return send(response, 200, { attached: state.attached ?? [] });
  }
  if (path === "/api/v1/dev/doctor") {
    return state.findings
      ? send(response, 200, { findings: state.findings })
      : send(response, 502, problem("dev_failed", "the zr dev that was asked has gone"));
  }
  if (path === "/api/v1/dev/metrics") {
    return send(response, 200, state.delivery ?? nothingDelivered());
  }
  const types = query.getAll("type");
  const found = (state.runEvents ?? []).filter(
    ({ type, service, data }) =>
      (types.length === 0 || types.includes(type)) &&
      (!query.get("service") || service === query.get("service")) &&
      (!query.get("failed") || data.error),
  );
  send(response, 200, { events: found.slice(0, Number(query.get("limit"))) });
}

function nothingDelivered() {
  const flow = { changes: 0, perHour: 0, failed: 0, rolledBack: 0, broken: 0, curve: [] };
  const to = Date.now();
  const from = new Date(to - 24 * HOUR).toISOString();
  return {
    from,
    to: new Date(to).toISOString(),
    stepSeconds: 3_600,
    reloads: flow,
    deploys: flow,
  };
}

/** Takes a WebSocket (RFC 6455). */
function acceptance(request) {
  const accept = createHash("sha1")
    .update(`${request.headers["sec-websocket-key"]}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`)
    .digest("base64");
  return `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`;
}

/** A text as one frame, whose length takes as few bytes as it can: browsers want that. */
function textFrame(text) {
  const payload = Buffer.from(text);
  const { length } = payload;
  return Buffer.concat([headOf(length), payload]);
}

function headOf(length) {
  if (length < 126) {
    return Buffer.from([0x81, length]);
  }
  const head = Buffer.alloc(length > 0xffff ? 10 : 4);
  head.set([0x81, length > 0xffff ? 127 : 126]);
  if (length > 0xffff) {
    head.writeBigUInt64BE(BigInt(length), 2);
  } else {
    head.writeUInt16BE(length, 2);
  }
  return head;
}

export function problem(code, detail) {
  return { type: `urn:zr:problem:${code}`, detail };
}

function send(response, status, body) {
  response.writeHead(status, { "content-type": "application/json" });
  response.end(JSON.stringify(body));
}
