import { anAttached, anEvent, aSave } from "@/lib/dev/fixtures";
import { aChange, anOverview, aPast, aService, NOW } from "@/lib/stack/fixtures";

const at = new Date(NOW).toISOString();

/** What an api of tests answers to all that a snapshot asks for, by the path: one service, and some of everything. */
export function someAnswers(): Record<string, unknown> {
  const flow = { changes: 0, perHour: 0, failed: 0, rolledBack: 0, broken: 0, curve: [] };
  const revision = { revision: 1, at, author: "ana", reason: "why not", outcome: "written" };
  const events = [
    aSave({ error: "main.go:1: no" }),
    anEvent("problem", { source: "build", text: "main.go:1: no" }),
    anEvent("ready", { took: 1 }),
  ];
  return {
    "/api/v1/services": {
      namespace: "shop",
      kubernetes: { status: "ok", latencyMs: 1, reason: "" },
      services: [aService()],
    },
    "/api/v1/history": { events: [aChange()] },
    "/api/v1/overview": { services: [anOverview()] },
    "/api/v1/uptime": { services: [aPast()], outages: [] },
    "/api/v1/dev": { attached: [anAttached({ actions: ["examine"] })] },
    "/api/v1/dev/events": (query: URLSearchParams) => ({
      events: events.filter(({ type }) => query.getAll("type").includes(type)),
    }),
    "/api/v1/dev/metrics": { from: at, to: at, stepSeconds: 60, reloads: flow, deploys: flow },
    "/api/v1/dev/doctor": { findings: [{ name: "engine", status: "ok", detail: "answers" }] },
    "/api/v1/configuration": {
      text: "GREETING: Good morning\n",
      settings: [{ key: "GREETING", value: "Good morning", usedBy: [] }],
      source: "config/dev.yaml",
      behind: [],
      etag: "1",
    },
    "/api/v1/configuration/schema": { additionalProperties: { type: ["string"] } },
    "/api/v1/configuration/revisions": { revisions: [revision] },
    "/api/v1/configuration/secrets": {
      secrets: [{ name: "secrets", settable: true, keys: [{ name: "API_TOKEN", usedBy: [] }] }],
    },
    "/api/v1/activity": {
      records: [{ id: 1, at, actor: "ana", action: "logIn", target: "x", outcome: "done" }],
    },
    "/api/v1/logs": {
      lines: [{ id: "1", time: at, service: "api", message: "ready" }],
      complete: true,
    },
    "/api/v1/services/api/details": {
      containers: [
        {
          ...{ name: "api", image: "api", ports: [], requests: {}, limits: {} },
          probes: [],
          env: [{ name: "GREETING", value: "Good morning" }],
        },
      ],
      pods: [],
      ports: [],
    },
    "/api/v1/services/api/events": {
      events: [{ at, warning: true, object: "Pod/api", reason: "BackOff", message: "again" }],
    },
    "/api/v1/services/api/revisions": {
      revisions: [{ revision: 1, current: true, images: ["api"], createdAt: at }],
    },
    "/api/v1/services/api/uptime": { ...aPast(), outages: [] },
  };
}
