// @vitest-environment happy-dom
import { cleanup, fireEvent, render, screen, waitFor } from "@testing-library/react";
import { afterEach, expect, test, vi } from "vitest";
import { NotifySwitch } from "./notify-switch";

afterEach(() => {
  cleanup();
  localStorage.clear();
  vi.unstubAllGlobals();
});

/** A browser that permits as it is told, and answers as one would who is asked. */
function browser(permission: NotificationPermission, answer: NotificationPermission) {
  const stub = {
    permission,
    requestPermission: vi.fn(async () => {
      stub.permission = answer;
      return answer;
    }),
  };
  vi.stubGlobal("Notification", stub);
  render(<NotifySwitch />);
  return stub;
}

const choice = () => screen.getByRole<HTMLInputElement>("checkbox");

test("a click asks, and what was chosen is remembered until it is taken back", async () => {
  const { requestPermission } = browser("default", "granted");
  expect(choice().checked).toBe(false);
  expect(requestPermission).not.toHaveBeenCalled();
  fireEvent.click(choice());
  await waitFor(() => expect(choice().checked).toBe(true));
  cleanup();
  render(<NotifySwitch />);
  expect(choice().checked).toBe(true);
  fireEvent.click(choice());
  await waitFor(() => expect(choice().checked).toBe(false));
  expect(requestPermission).toHaveBeenCalledOnce();
});

test("who says no to the browser is told where to allow it", async () => {
  browser("default", "denied");
  fireEvent.click(choice());
  await waitFor(() => expect(choice().disabled).toBe(true));
  expect(choice().checked).toBe(false);
  expect(screen.getByText(/settings of the site allow them/)).toBeDefined();
});
