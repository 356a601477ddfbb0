import { type Service, type State, states } from "./schema";

export interface Summary {
  /** The worst state of all: what the whole stack is in. */
  state: State;
  text: string;
}

/** The worst first. */
const severity: readonly State[] = ["unhealthy", "starting", "pending", "healthy"];

/** The stack in one sentence: "All 4 services are healthy", "redis is unhealthy", "2 of 4 services are starting". */
export function summarize(services: Service[]): Summary {
  const state = severity.find((s) => services.some((service) => service.state === s)) ?? "pending";
  const those = services.filter((service) => service.state === state);
  return { state, text: sentence(state, those, services.length) };
}

function sentence(state: State, those: Service[], total: number): string {
  const [first] = those;
  if (!first) {
    return "No services yet";
  }
  if (those.length === 1) {
    return `${first.name} is ${state}`;
  }
  return those.length === total
    ? `All ${total} services are ${state}`
    : `${those.length} of ${total} services are ${state}`;
}

/** How many services are in each state, without the states that none is in. */
export function count(services: Service[]): [State, number][] {
  return states
    .map((state): [State, number] => [state, services.filter((s) => s.state === state).length])
    .filter(([, n]) => n > 0);
}
