import { queryOptions } from "@tanstack/react-query";
import type { Absence } from "./connection";
import { eventsPath } from "./dev/queries";
import { runEventsSchema } from "./dev/schema";
import { fetchJSON } from "./fetch-json";
import { POLL_MS } from "./freshness";
import type { Problem } from "./problem";
import { historyPath } from "./stack/queries";
import { historySchema } from "./stack/schema";

/** As many as one page of the api has. */
const MOST = 500;

/** How much happened in a time. */
export interface Missed {
  changes: number;
  /** None is known of where nobody is logged in. */
  reloads: number;
  /** Whether it was more than one page of the api has. */
  more: boolean;
}

/** A session may have ended meanwhile. */
function withoutSession(problem: Problem) {
  if (problem.code !== "not_logged_in") {
    throw problem;
  }
  return { events: [] };
}

/** What happened while nothing was heard of an environment; asked until it is known. */
export function missedQuery(
  environment: string | undefined,
  { from, to }: Pick<Absence, "from" | "to">,
  loggedIn: boolean,
) {
  return queryOptions<Missed, Problem>({
    queryKey: ["missed", environment, from, to],
    queryFn: async ({ signal }) => {
      const [history, runs] = await Promise.all([
        fetchJSON(historyPath({ environment, limit: MOST }), historySchema, signal),
        loggedIn
          ? fetchJSON(
              eventsPath({ environment, types: ["reload"], limit: MOST }),
              runEventsSchema,
              signal,
            ).catch(withoutSession)
          : { events: [] },
      ]);
      const happened = ({ at }: { at: string }) => from <= Date.parse(at) && Date.parse(at) <= to;
      const changes = history.events.filter(happened).length;
      const reloads = runs.events.filter(happened).length;
      return { changes, reloads, more: changes === MOST || reloads === MOST };
    },
    staleTime: Number.POSITIVE_INFINITY,
    // The api may be back before its database is; a session that ended is not.
    retry: (_, { code }) => code !== "not_logged_in",
    retryDelay: POLL_MS,
  });
}
