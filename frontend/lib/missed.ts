import { queryOptions } from "@tanstack/react-query";
import { z } from "zod";
import { serverClock } from "./clock";
import type { Absence } from "./connection";
import { eventsPath } from "./dev/queries";
import { runEventsSchema } from "./dev/schema";
import { fetchJSON } from "./fetch-json";
import { POLL_MS } from "./freshness";
import type { Problem } from "./problem";
import { historyPath, servicesPath } from "./stack/queries";
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
  /** The time in which it happened, by the clock of the api, in milliseconds since the epoch. */
  during: { from: number; to: number };
}

const observedSchema = z.object({ observedAt: z.iso.datetime({ offset: true }) });

/**
 * A time of this browser by the clock of the api, which may be another one: what
 * the api says of now tells how far they are apart. The time that the question
 * took makes it longer at both ends.
 */
async function byTheApi(
  { from, to }: Pick<Absence, "from" | "to">,
  environment: string | undefined,
  signal: AbortSignal,
): Promise<Missed["during"]> {
  const asked = serverClock.now();
  const { observedAt } = await fetchJSON(servicesPath(environment), observedSchema, signal);
  const heard = serverClock.now();
  const at = Date.parse(observedAt);
  return { from: at - (heard - from), to: at - (asked - to) };
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
  absence: Pick<Absence, "from" | "to">,
  loggedIn: boolean,
) {
  return queryOptions<Missed, Problem>({
    queryKey: ["missed", environment, absence.from, absence.to],
    queryFn: async ({ signal }) => {
      const [during, history, runs] = await Promise.all([
        byTheApi(absence, environment, signal),
        fetchJSON(historyPath({ environment, limit: MOST }), historySchema, signal),
        loggedIn
          ? fetchJSON(
              eventsPath({ environment, types: ["reload"], limit: MOST }),
              runEventsSchema,
              signal,
            ).catch(withoutSession)
          : { events: [] },
      ]);
      const happened = ({ at }: { at: string }) =>
        during.from <= Date.parse(at) && Date.parse(at) <= during.to;
      const changes = history.events.filter(happened).length;
      const reloads = runs.events.filter(happened).length;
      return { changes, reloads, more: changes === MOST || reloads === MOST, during };
    },
    staleTime: Number.POSITIVE_INFINITY,
    // The api may be back before its database is; a session that ended is not.
    retry: (_, { code }) => code !== "not_logged_in",
    retryDelay: POLL_MS,
  });
}
