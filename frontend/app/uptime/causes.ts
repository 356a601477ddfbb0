import type { Service } from "@/lib/stack/schema";
import type { Outage } from "@/lib/stack/uptime";

/** Within which two services that fail by one cause are seen to, in milliseconds: as often as each is looked at, twice. */
const SEEN_WITHIN_MS = 15_000;

/** All services that one needs, also through others. */
export function needsOf(name: string, services: Service[]): Set<string> {
  const found = new Set<string>();
  const open = [name];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const at = next;
    for (const need of services.find((service) => service.name === at)?.dependsOn ?? []) {
      if (!found.has(need) && need !== name) {
        found.add(need);
        open.push(need);
      }
    }
  }
  return found;
}

/** The services that need another, also through others, by their names. */
export function neededBy(name: string, services: Service[]): string[] {
  return services.map((each) => each.name).filter((each) => needsOf(each, services).has(name));
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
