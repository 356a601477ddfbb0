// @vitest-environment happy-dom
import { cleanup, render, screen } from "@testing-library/react";
import { afterEach, expect, test } from "vitest";
import { aCurve } from "@/lib/stack/fixtures";
import { HealthStrip } from "./health-strip";

afterEach(cleanup);

/** The bars of each colour: where they begin, and how long they are. */
function bars() {
  return [...screen.getByRole("img", { name: "api" }).querySelectorAll("path")].map((path) => [
    path.getAttribute("class"),
    [...(path.getAttribute("d") ?? "").matchAll(/M([\d.]+) ([\d.]+)h\.84v([\d.]+)/g)].map(
      ([, x, y, length]) => [Math.floor(Number(x)), Number(y), Number(length)],
    ),
  ]);
}

test("each state has a shape of its own, and what was lost of a step hangs from the top", () => {
  render(
    <HealthStrip
      label="api"
      points={aCurve("healthy", "unhealthy", "starting", "stopped", "unknown")}
    />,
  );
  expect(bars()).toEqual([
    [
      "fill-healthy/60",
      [
        [0, 0, 10],
        [1, 5, 5],
        [2, 5, 5],
      ],
    ],
    ["fill-unhealthy", [[1, 0, 5]]],
    ["fill-starting", [[2, 0, 5]]],
    ["fill-pending/70", [[3, 6, 4]]],
    ["fill-muted/60", [[4, 9, 1]]],
  ]);
  expect(screen.queryByTitle(/./)).toBeNull();
});

test("a moment that was lost in a long step is seen", () => {
  const [point] = aCurve("unhealthy");
  render(<HealthStrip label="api" points={[{ ...point, uptime: 0.9999 } as never]} />);
  expect(bars()).toEqual([
    ["fill-healthy/60", [[0, 2, 8]]],
    ["fill-unhealthy", [[0, 0, 2]]],
  ]);
});

test("steps say what they were", () => {
  const { container } = render(
    <HealthStrip steps label="api" points={aCurve("unhealthy", "unknown")} />,
  );
  const titles = [...container.querySelectorAll("title")].map(({ textContent }) => textContent);
  expect(titles[0]).toMatch(/: unhealthy, healthy 50.00 %$/);
  expect(titles[1]).toMatch(/: not looked at$/);
});

test("a service of which nothing is known has an empty strip", () => {
  render(<HealthStrip label="api" points={[]} />);
  expect(bars()).toEqual([]);
});
