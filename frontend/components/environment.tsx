"use client";

import { useRouter, useSearchParams } from "next/navigation";
import { createContext, type ReactNode, useCallback, useContext } from "react";
import { environmentIn } from "@/lib/environment";
import { placed, useSnapshot } from "@/lib/snapshot/context";
import { withQuery } from "@/lib/with-query";

const EnvironmentContext = createContext<string | undefined>(undefined);

/** Tells all below which environment the address is about. */
export function EnvironmentProvider({ children }: { children: ReactNode }) {
  const environment = environmentIn({
    environment: useSearchParams().get("environment") ?? undefined,
  });
  return <EnvironmentContext value={environment}>{children}</EnvironmentContext>;
}

/**
 * The environment that the address is about; undefined stands for the first that the api
 * serves, and for the one that a snapshot is of.
 */
export function useEnvironment(): string | undefined {
  const environment = useContext(EnvironmentContext);
  return useSnapshot() ? undefined : environment;
}

/** Goes to a screen, and stays in the environment, or in the snapshot. */
export function useGo(): (path: string) => void {
  const router = useRouter();
  const environment = useEnvironment();
  const snapshot = useSnapshot();
  return useCallback(
    (path: string) => router.push(withQuery(placed(path, snapshot), { environment })),
    [router, environment, snapshot],
  );
}
