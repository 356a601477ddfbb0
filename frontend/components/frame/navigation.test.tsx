// @vitest-environment happy-dom
import { cleanup, render, screen } from "@testing-library/react";
import { afterEach, expect, test, vi } from "vitest";
import { Navigation } from "./navigation";

const path = vi.hoisted(() => ({ current: "/" }));
vi.mock("next/navigation", () => ({ usePathname: () => path.current }));

afterEach(cleanup);

test.each([
  ["/", "Services"],
  ["/services/api", "Services"],
  ["/history", "History"],
  ["/nowhere", undefined],
])("at %s the navigation marks %s", (at, marked) => {
  path.current = at;
  render(<Navigation />);
  expect(screen.queryByRole("link", { current: "page" })?.textContent).toBe(marked);
});
