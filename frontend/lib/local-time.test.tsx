// @vitest-environment happy-dom
import { act } from "@testing-library/react";
import { hydrateRoot } from "react-dom/client";
import { renderToString } from "react-dom/server";
import { expect, test, vi } from "vitest";
import { localText, useLocalText } from "./local-time";

const MIDNIGHT = "2026-11-28T00:05:09Z";

function Moment() {
  return <p>{useLocalText()(MIDNIGHT, "date")}</p>;
}

test("a moment after midnight is in the day that begins", () => {
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const at = new Date(2026, 10, 28, 0, 5, 9).toISOString();
  expect(localText(at, "day"), zone).toBe("Sat 00:05");
  expect(localText(at, "time"), zone).toBe("00:05:09");
  expect(localText(at, "date"), zone).toBe("28 Nov 2026, 00:05:09");
});

test("the server writes UTC, and the browser takes that over before it writes its own", async () => {
  const html = renderToString(<Moment />);
  expect(html).toBe("<p>2026-11-28 00:05:09 UTC</p>");
  document.body.innerHTML = html;
  const onRecoverableError = vi.fn();
  await act(async () => hydrateRoot(document.body, <Moment />, { onRecoverableError }));
  expect(document.body.textContent).toBe(localText(MIDNIGHT, "date"));
  expect(onRecoverableError).not.toHaveBeenCalled();
});
