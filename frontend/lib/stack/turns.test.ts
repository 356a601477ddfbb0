import { expect, test } from "vitest";
import { aService } from "./fixtures";
import type { State } from "./schema";
import { Turns } from "./turns";

const api = (state: State) => [aService({ state })];

function became(turns: Turns, state: State) {
  return turns.take(api(state), []).map((turn) => turn.became);
}

test("how things are at first is no turn", () => {
  const turns = new Turns();
  expect(became(turns, "unhealthy")).toEqual([]);
  expect(became(turns, "healthy")).toEqual(["healthy"]);
});

test("a service that fails and heals turns twice, however often it starts", () => {
  const turns = new Turns();
  expect(became(turns, "healthy")).toEqual([]);
  expect(became(turns, "starting")).toEqual([]);
  expect(became(turns, "unhealthy")).toEqual(["unhealthy"]);
  expect(became(turns, "unhealthy")).toEqual([]);
  expect(became(turns, "starting")).toEqual([]);
  expect(became(turns, "healthy")).toEqual(["healthy"]);
  expect(became(turns, "healthy")).toEqual([]);
});

test("one that was removed does not heal", () => {
  const turns = new Turns();
  turns.take([], []);
  expect(became(turns, "unhealthy")).toEqual(["unhealthy"]);
  turns.take([], ["api"]);
  expect(became(turns, "healthy")).toEqual([]);
});
