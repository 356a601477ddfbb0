import { expect, test } from "vitest";
import { anOverview } from "./fixtures";
import {
  coresText,
  doneText,
  measuredText,
  memoryText,
  ofLimit,
  scaledText,
  whoText,
} from "./overview-text";

test("figures of what is used", () => {
  expect([coresText(0), coresText(0.0131), coresText(0.25), coresText(12.5)]).toEqual([
    "0.000 cores",
    "0.013 cores",
    "0.25 cores",
    "12.50 cores",
  ]);
  expect([memoryText(41_000_000), memoryText(3 * 2 ** 30)]).toEqual(["39.1 MiB", "3.0 GiB"]);
  expect(ofLimit(memoryText, 41_000_000, 2 ** 28)).toBe("39.1 MiB of 256.0 MiB");
  expect(ofLimit(coresText, 0.25, undefined)).toBe("0.25 cores");
});

test("what is not measured yet is said", () => {
  const use = { running: 3, measured: 1, cpuCores: 0, memoryBytes: 0 };
  expect(measuredText(use)).toBe("1 of 3 containers are measured");
  expect(measuredText({ ...use, measured: 3 })).toBe("");
});

test.each([
  [{ what: "restarted", by: "ada", with: "zr-api" }, "restarted by ada"],
  [{ what: "rolledBack", by: "ada", with: "zr-api" }, "rolled back by ada"],
  [{ what: "changed", with: "zr-api" }, "changed in the dashboard"],
  [{ what: "deployed", with: "zr" }, "deployed with zr"],
  [{ what: "reloaded", by: "ada" }, "reloaded by ada"],
  [{ what: "changed", with: "kubectl-edit" }, "changed with kubectl-edit"],
  [{ what: "configured" }, "configured "],
] as const)("%j is %s", (change, text) => {
  expect(`${doneText({ at: "", ...change })} ${whoText({ at: "", ...change })}`).toBe(text);
});

test("what may have come later is said", () => {
  const change = anOverview().lastChange;
  expect(change && scaledText(change)).toBe("");
  expect(change && scaledText({ ...change, scaledWith: "kubectl" })).toBe(
    "its pods were scaled with kubectl, nobody knows when",
  );
});
