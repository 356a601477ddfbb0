import { expect, test } from "vitest";
import { activitySchema } from "@/app/activity/schema";
import { revisionsSchema } from "@/app/configuration/schema";
import { detailsSchema } from "@/app/services/[name]/details";
import { shownText } from "./inert-text";
import { problemBody } from "./problem";
import { historySchema, servicesSchema } from "./stack/schema";

const hostile = "\u202egnp.exe\u001b[2J\u0007";
const seen = "⟨U+202E⟩gnp.exe␛[2J␇";
const at = "2026-01-02T03:04:05Z";

test.each([
  [
    servicesSchema,
    {
      namespace: "shop",
      kubernetes: { status: "down", latencyMs: 0, reason: hostile },
      services: [
        {
          ...{ name: "api", state: "unhealthy", ready: 0, desired: 1, restarts: 0 },
          reason: { code: "crash", message: hostile },
        },
      ],
    },
  ],
  [
    historySchema,
    { events: [{ id: 1, service: "api", state: "unhealthy", message: hostile, at }] },
  ],
  [
    activitySchema,
    {
      records: [
        {
          id: 1,
          at,
          actor: hostile,
          action: "GET",
          target: hostile,
          outcome: "refused",
          detail: hostile,
        },
      ],
    },
  ],
  [
    revisionsSchema,
    { revisions: [{ revision: 1, at, author: hostile, reason: hostile, outcome: "written" }] },
  ],
  [problemBody, { error: { code: "refused", message: hostile, faults: [{ message: hostile }] } }],
])("texts of others are inert (%#)", (schema, answer) => {
  const read = JSON.stringify(schema.parse(answer));
  expect(read).toContain(seen);
  expect(read).not.toMatch(/\u202e|\\u001b|\\u0007/);
});

test("values of variables are inert", () => {
  const container = {
    ...{ name: "api", image: "api", ports: [], probes: [], requests: {}, limits: {} },
    env: [{ name: "GREETING", value: hostile }],
  };
  const { containers } = detailsSchema.parse({
    ...{ name: "api", kind: "Deployment", ports: [], pods: [] },
    containers: [container],
  });
  expect(containers[0]?.env[0]?.value).toBe(seen);
});

test("of a long text the beginning is shown, and how much more there is", () => {
  expect(shownText("a".repeat(10_000))).toHaveLength(10_000);
  const shown = shownText(`${hostile}${"a".repeat(1_000_000)}`);
  expect(shown).toContain(`${seen}aaa`);
  expect(shown).toMatch(/a… \(990,013 more characters\)$/);
});
