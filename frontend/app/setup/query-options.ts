import { queryOptions } from "@tanstack/react-query";
import { postJSON } from "@/lib/fetch-json";
import type { Problem } from "@/lib/problem";
import { requestKey } from "@/lib/request-key";
import { ask } from "@/lib/snapshot/queries";
import { withQuery } from "@/lib/with-query";
import { type Findings, findingsSchema, type Proposal, proposalSchema } from "./schema";

/** How often the machine is looked at, in milliseconds: it takes some 0.3 s of it. */
const LOOK_MS = 30_000;

export function findingsPath(environment: string | undefined): string {
  return withQuery("/api/v1/dev/doctor", { environment });
}

/** What the attached `zr dev` finds: asked again at once where it could not be. */
export function findingsQuery(environment: string | undefined) {
  const path = findingsPath(environment);
  return queryOptions<Findings, Problem>({
    queryKey: ["doctor", path],
    queryFn: (context) => ask(context, path, findingsSchema),
    staleTime: LOOK_MS,
    retry: false,
    refetchInterval: ({ state }) =>
      state.error?.code === "not_logged_in" ? false : state.error ? LOOK_MS / 3 : LOOK_MS,
  });
}

/** The lines that make a service of a folder. It throws a Problem. */
export function propose(folder: string, environment: string | undefined): Promise<Proposal> {
  const path = withQuery("/api/v1/dev/propose", { environment });
  return postJSON(path, proposalSchema, { key: requestKey(), body: { folder } });
}
