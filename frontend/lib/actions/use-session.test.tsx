// @vitest-environment happy-dom
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { act } from "@testing-library/react";
import { hydrateRoot } from "react-dom/client";
import { renderToString } from "react-dom/server";
import { expect, test, vi } from "vitest";
import { sessionQuery } from "./session";
import { useSession } from "./use-session";

function Who() {
  return <p>{useSession({ staleTime: 60_000 }).data?.name ?? "nobody knows"}</p>;
}

test("what is known when the browser takes a screen over is said afterwards", async () => {
  const page = (client: QueryClient) => (
    <QueryClientProvider client={client}>
      <Who />
    </QueryClientProvider>
  );
  document.body.innerHTML = renderToString(page(new QueryClient()));
  expect(document.body.textContent).toBe("nobody knows");
  const answered = new QueryClient();
  answered.setQueryData(sessionQuery.queryKey, { name: "ana", role: "viewer" });
  const onRecoverableError = vi.fn();
  await act(async () => hydrateRoot(document.body, page(answered), { onRecoverableError }));
  expect(document.body.textContent).toBe("ana");
  expect(onRecoverableError).not.toHaveBeenCalled();
});
