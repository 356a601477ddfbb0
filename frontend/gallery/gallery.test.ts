import { readdirSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { components } from "./components";
import { unseen } from "./frame";

const folder = join(import.meta.dirname, "../components");

/** The components by their files, without those of tests. */
const files = readdirSync(folder, { recursive: true, encoding: "utf8" })
  .filter((file) => file.endsWith(".tsx") && !file.endsWith(".test.tsx"))
  .map((file) => file.replace(/\.tsx$/, ""));

test("every component has a place on the page, or is one that shows nothing", () => {
  expect(files.length).toBeGreaterThan(0);
  expect([...Object.keys(components), ...Object.keys(unseen)].toSorted()).toEqual(files.toSorted());
});

test("every component that has a place has a state", () => {
  expect(Object.entries(components).filter(([, states]) => states.length === 0)).toEqual([]);
});
