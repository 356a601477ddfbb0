import { expect, test } from "vitest";
import { states } from "./stack/schema";
import { tabIcon } from "./tab-icon";

test("no two states have the same icon", () => {
  const icons = [...states, "unknown" as const].map(tabIcon);
  expect(new Set(icons).size).toBe(states.length + 1);
});
