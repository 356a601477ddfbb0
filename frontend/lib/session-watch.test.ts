import { expect, test } from "vitest";
import { SessionWatch } from "./session-watch";

test("a refusal ends the session that it was asked under, and no later one", () => {
  const watch = new SessionWatch();
  const told: boolean[] = [];
  watch.subscribe(() => told.push(watch.ended()));
  const before = watch.current();
  watch.refused(before);
  watch.renewed();
  watch.refused(before);
  expect(told).toEqual([true, false]);
  watch.refused(watch.current());
  expect(watch.ended()).toBe(true);
});

test("what was refused is asked again under another session, until nobody wants it", () => {
  const watch = new SessionWatch();
  let asked = 0;
  const end = watch.onRenewed(() => asked++);
  watch.renewed();
  end();
  watch.renewed();
  expect(asked).toBe(1);
});
