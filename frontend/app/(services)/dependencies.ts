import type { Service } from "@/lib/stack/schema";

/** That a service needs another. */
export interface Dependency {
  from: string;
  to: string;
}

/** Who needs whom, of those that are there, each pair once. */
export function dependenciesOf(services: Service[]): Dependency[] {
  const names = new Set(services.map(({ name }) => name));
  return services.flatMap(({ name, dependsOn }) =>
    [...new Set(dependsOn)]
      .filter((to) => names.has(to) && to !== name)
      .map((to) => ({ from: name, to })),
  );
}

/** A service with all that it needs and all that need it, also over others, in the order in which they came. */
export function around(name: string, services: Service[]): Service[] {
  const pairs = dependenciesOf(services);
  const kept = new Set([
    ...reached(name, pairs),
    ...reached(
      name,
      pairs.map(({ from, to }) => ({ from: to, to: from })),
    ),
  ]);
  return services.filter((service) => kept.has(service.name));
}

function reached(name: string, pairs: Dependency[]): Set<string> {
  const found = new Set([name]);
  // What is added while it is walked is walked too.
  for (const each of found) {
    for (const { from, to } of pairs) {
      if (from === each) {
        found.add(to);
      }
    }
  }
  return found;
}
