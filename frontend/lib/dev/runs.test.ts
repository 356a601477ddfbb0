import { expect, test } from "vitest";
import { NOW } from "@/lib/stack/fixtures";
import { anEvent } from "./fixtures";
import { runsOf } from "./runs";

const MS = 1e6;
const at = (ms: number) => ({ at: new Date(NOW + ms).toISOString() });

test("a run has its steps, with when each began and how it ended", () => {
  const events = [
    anEvent("step.done", { step: "of another page", took: 1 }, { run: "old", ...at(-9) }),
    anEvent("step.started", { step: "images", title: "make images" }, at(0)),
    anEvent("step.started", { step: "apply" }, at(100)),
    anEvent("step.done", { step: "images", took: 200 * MS, unchanged: true }, at(200)),
    anEvent("step.done", { step: "apply", took: 300 * MS, detail: "4 objects" }, at(400)),
    anEvent("ready", { took: 450 * MS, endpoints: {} }, at(450)),
  ];
  const [run, ...others] = runsOf(events.toReversed());
  expect(others).toEqual([]);
  expect(run).toMatchObject({ outcome: "ready", tookMs: 450, began: NOW, last: NOW + 450 });
  expect(run?.steps).toEqual([
    { step: "images", title: "make images", from: 0, took: 200, outcome: "unchanged", detail: "" },
    { step: "apply", title: "", from: 100, took: 300, outcome: "done", detail: "4 objects" },
  ]);
});

test("a run that failed says why, and what was cut short", () => {
  const [run] = runsOf([
    anEvent("step.started", { step: "images" }, at(0)),
    anEvent("step.started", { step: "cluster" }, at(0)),
    anEvent("step.failed", { step: "images", took: 50 * MS, error: "no disk" }, at(50)),
    anEvent("step.failed", { step: "cluster", took: 60 * MS, cancelled: true }, at(60)),
    anEvent("error", { error: "making images: no disk", hint: "make room", code: 1 }, at(70)),
  ]);
  expect(run).toMatchObject({ outcome: "failed", error: "making images: no disk", tookMs: 70 });
  expect(run?.hint).toBe("make room");
  expect(run?.steps.map(({ outcome, detail }) => [outcome, detail])).toEqual([
    ["failed", "no disk"],
    ["cancelled", ""],
  ]);
});

test("a zr dev that brings the environment up again has two, and the second goes on", () => {
  const runs = runsOf([
    anEvent("step.started", { step: "apply" }, at(0)),
    anEvent("step.done", { step: "apply", took: MS }, at(1)),
    anEvent("ready", { took: MS, endpoints: {} }, at(1)),
    anEvent("step.started", { step: "apply" }, at(500)),
  ]);
  expect(runs.map(({ outcome, steps }) => [outcome, steps[0]?.outcome])).toEqual([
    ["open", "going"],
    ["ready", "done"],
  ]);
});
