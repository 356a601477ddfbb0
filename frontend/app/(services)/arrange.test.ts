import { expect, test } from "vitest";
import { type Arrangement, arrange, BOX } from "./arrange";

/** Services of which each needs up to three of those before it, and every tenth none and nobody. */
function chained(n: number) {
  const names = Array.from({ length: n }, (_, i) => `service-${i}`);
  const dependencies = names.flatMap((from, i) =>
    i % 10 === 9
      ? []
      : [Math.floor(i / 2), Math.floor(i / 3), Math.floor(i / 7)]
          .filter((j, k, all) => j !== i && j % 10 !== 9 && all.indexOf(j) === k)
          .map((j) => ({ from, to: `service-${j}` })),
  );
  return { names, dependencies };
}

function overlaps({ places }: Arrangement): string[] {
  return places.flatMap((a, i) =>
    places
      .slice(i + 1)
      .filter((b) => Math.abs(a.x - b.x) < BOX.width && Math.abs(a.y - b.y) < BOX.height)
      .map((b) => `${a.name} ${b.name}`),
  );
}

test.each([5, 100, 300])("%i services each have a place of their own inside", (n) => {
  const { names, dependencies } = chained(n);
  const arrangement = arrange(names, dependencies);
  expect(arrangement.places.map(({ name }) => name).toSorted()).toEqual(names.toSorted());
  expect(overlaps(arrangement)).toEqual([]);
  for (const { x, y } of arrangement.places) {
    expect(x).toBeGreaterThanOrEqual(0);
    expect(y).toBeGreaterThanOrEqual(0);
    expect(x + BOX.width).toBeLessThanOrEqual(arrangement.width);
    expect(y + BOX.height).toBeLessThanOrEqual(arrangement.height);
  }
  expect(arrangement.arrows).toHaveLength(dependencies.length);
});

test("who needs something stands left of it, and an arrow leads from the one to the other", () => {
  const { places, arrows } = arrange(["web", "api"], [{ from: "web", to: "api" }]);
  const [web, api] = ["web", "api"].map((name) => places.find((each) => each.name === name));
  expect(web?.x).toBeLessThan(api?.x ?? 0);
  const right = (web?.x ?? 0) + BOX.width;
  const left = api?.x ?? 0;
  expect(arrows[0]?.path).toMatch(new RegExp(`^M${right}.*C.* ${left}(\\.0)? `));
});

test("services that need nothing stand in rows", () => {
  const { places } = arrange(["a", "b", "c", "d", "e"], []);
  expect(new Set(places.map(({ y }) => y)).size).toBe(2);
  expect(overlaps(arrange(["a", "b", "c", "d", "e"], []))).toEqual([]);
});

test("services that need each other are placed too", () => {
  const { places, arrows } = arrange(
    ["a", "b"],
    [
      { from: "a", to: "b" },
      { from: "b", to: "a" },
    ],
  );
  expect(places).toHaveLength(2);
  expect(new Set(arrows.map(({ path }) => path)).size).toBe(2);
});
