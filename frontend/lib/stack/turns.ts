import type { Service } from "./schema";

/** That a service became unhealthy, or is healthy again. */
export interface Turn {
  service: Service;
  became: "unhealthy" | "healthy";
}

/** Finds the turns in what is told of services. The first that it is told of is how things are. */
export class Turns {
  private begun = false;
  private broken = new Set<string>();

  /** Takes those that changed and the names of those that went, and returns what turned. */
  take(changed: Service[], removed: string[]): Turn[] {
    const turns = changed.flatMap((service): Turn[] => {
      const { name, state } = service;
      const was = this.broken.has(name);
      if (state === "unhealthy" && !was) {
        this.broken.add(name);
        return [{ service, became: "unhealthy" }];
      }
      // One that starts has not healed yet.
      if (state === "healthy" && was) {
        this.broken.delete(name);
        return [{ service, became: "healthy" }];
      }
      return [];
    });
    for (const name of removed) {
      this.broken.delete(name);
    }
    const first = !this.begun;
    this.begun = true;
    return first ? [] : turns;
  }
}
