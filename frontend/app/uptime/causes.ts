import type { Service } from "@/lib/stack/schema";
import type { Outage } from "@/lib/stack/uptime";

/** Within which two services that fail by one cause are seen to, in milliseconds: as often as each is looked at, twice. */
const SEEN_WITHIN_MS = 15_000;

/** What each of some services needs: it is asked each second, of each outage, and the same until the services change. */
const known = new WeakMap<Service[], Map<string, ReadonlySet<string>>>();

function needsIn(services: Service[]): Map<string, ReadonlySet<string>> {
  const found = known.get(services) ?? allNeedsIn(services);
  known.set(services, found);
  return found;
}

function allNeedsIn(services: Service[]): Map<string, ReadonlySet<string>> {
  const direct = new Map(services.map(({ name, dependsOn }) => [name, dependsOn]));
  return new Map(
    services.map(({ name }) => {
      const found = new Set<string>();
      const open = [name];
      for (let next = open.pop(); next !== undefined; next = open.pop()) {
        for (const need of direct.get(next) ?? []) {
          if (!found.has(need) && need !== name) {
            found.add(need);
            open.push(need);
          }
        }
      }
      return [name, found];
    }),
  );
}

/** All services that one needs, also through others. */
export function needsOf(name: string, services: Service[]): ReadonlySet<string> {
  return needsIn(services).get(name) ?? new Set();
}

/** The services that need another, also through others, by their names. */
export function neededBy(name: string, services: Service[]): string[] {
  return [...needsIn(services)].filter(([, needs]) => needs.has(name)).map(([each]) => each);
}

/** What an outage's service needs and was away as it began, by their names. */
export function awayMeanwhile(outage: Outage, outages: Outage[], services: Service[]): string[] {
  const began = Date.parse(outage.from);
  const needs = needsOf(outage.service, services);
  const names = outages
    .filter(
      ({ service, from, to }) =>
        needs.has(service) &&
        Date.parse(from) <= began + SEEN_WITHIN_MS &&
        Date.parse(to) >= began - SEEN_WITHIN_MS,
    )
    .map(({ service }) => service);
  return [...new Set(names)];
}
