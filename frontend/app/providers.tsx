"use client";

import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";
import { ActionsProvider } from "@/components/actions/actions";
import { EnvironmentProvider } from "@/components/environment";

/** One cache for each page load. */
export function Providers({ children }: { children: ReactNode }) {
  const [client] = useState(
    () =>
      new QueryClient({
        // The stack runs on this machine: a laptop without a network can still reach it.
        defaultOptions: { queries: { networkMode: "always" } },
      }),
  );
  return (
    <QueryClientProvider client={client}>
      <EnvironmentProvider>
        <ActionsProvider>{children}</ActionsProvider>
      </EnvironmentProvider>
    </QueryClientProvider>
  );
}
