import { type UseQueryOptions, useQuery } from "@tanstack/react-query";
import type { Problem } from "@/lib/problem";
import { useTakenOver } from "@/lib/use-taken-over";
import { type Session, sessionQuery } from "./session";

/**
 * Who is logged in. What is around a screen asks the same, and may have been answered when
 * the browser takes the screen over: the server that wrote it did not know.
 */
export function useSession(options: Partial<UseQueryOptions<Session, Problem>> = {}) {
  const { data, error, refetch } = useQuery<Session, Problem>({ ...sessionQuery, ...options });
  const takenOver = useTakenOver();
  return { data: takenOver ? data : undefined, error: takenOver ? error : null, refetch };
}
