// @vitest-environment happy-dom
import { cleanup, render, screen } from "@testing-library/react";
import { afterEach, expect, test } from "vitest";
import Loading from "./loading";

afterEach(cleanup);

test("the first load says what is waited for", () => {
  render(<Loading />);
  expect(screen.getByTestId("loading").getAttribute("aria-busy")).toBe("true");
  expect(screen.getByRole("heading", { level: 1 }).textContent).toBe("Asking the api…");
});
