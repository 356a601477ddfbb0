"use client";

import { useEffect, useState } from "react";
import { Link } from "@/components/link";
import { stateLook } from "@/components/state";
import { servicePath } from "@/lib/screens";
import type { Service, State } from "@/lib/stack/schema";
import { listed } from "@/lib/words";
import type { Arrangement, Arrow, Place } from "../arrange";
import { around, type Dependency, dependenciesOf } from "../dependencies";

/** How an arrow to a service in a state looks: by its line and its mark, beside the colour. */
const line: Record<State, { color: string; width: number; dashes?: string }> = {
  healthy: { color: "stroke-healthy/70", width: 1.5 },
  starting: { color: "stroke-starting", width: 2, dashes: "6 4" },
  unhealthy: { color: "stroke-unhealthy", width: 2.5 },
  pending: { color: "stroke-pending", width: 1.5, dashes: "2 4" },
};

/** Who needs whom: a picture of it, and the same as a list. An arrow has the state of the one that it leads to. */
export function ServiceGraph({
  services,
  service,
  known,
  onChoose,
}: {
  services: Service[];
  /** Only what this one needs, and what needs it. */
  service?: string;
  /** Colourless where not: this is what was, not what is. */
  known: boolean;
  onChoose: (service: string | undefined) => void;
}) {
  const shown = service ? around(service, services) : services;
  const dependencies = dependenciesOf(shown);
  return (
    <div className={known ? "" : "grayscale"}>
      <label className="flex items-center gap-2 border-line border-b px-4 py-2 text-muted text-xs">
        Around
        <select
          value={service ?? ""}
          onChange={(event) => onChoose(event.target.value || undefined)}
          className="h-7 min-w-0 rounded-md border border-line bg-surface px-2 text-ink"
        >
          <option value="">All services</option>
          {services.map(({ name }) => (
            <option key={name}>{name}</option>
          ))}
        </select>
      </label>
      <Picture services={shown} dependencies={dependencies} />
      <List services={shown} dependencies={dependencies} />
    </div>
  );
}

function Picture({ services, dependencies }: { services: Service[]; dependencies: Dependency[] }) {
  const arrangement = useArrangement(
    services.map(({ name }) => name),
    dependencies,
  );
  if (!arrangement) {
    return (
      <p role="status" className="px-4 py-10 text-center text-muted max-md:hidden">
        Drawing…
      </p>
    );
  }
  const { width, height, places, arrows } = arrangement;
  const stateOf = new Map(services.map(({ name, state }) => [name, state]));
  return (
    <section
      aria-label="Graph of the services"
      data-testid="graph"
      // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard
      tabIndex={0}
      className="overflow-x-auto p-4 max-md:hidden"
    >
      <div className="relative mx-auto" style={{ width, height }}>
        <svg width={width} height={height} aria-hidden="true" className="absolute inset-0">
          {arrows.map((arrow) => (
            <Line
              key={`${arrow.from} ${arrow.to}`}
              arrow={arrow}
              state={stateOf.get(arrow.to) ?? "pending"}
            />
          ))}
        </svg>
        {places.map((place) => (
          <Box key={place.name} place={place} state={stateOf.get(place.name) ?? "pending"} />
        ))}
      </div>
    </section>
  );
}

function Line({ arrow, state }: { arrow: Arrow; state: State }) {
  const { color, width, dashes } = line[state];
  const { x, y } = arrow;
  return (
    <g data-testid="dependency" data-state={state} className={`fill-none ${color}`}>
      <path d={arrow.path} strokeWidth={width} strokeDasharray={dashes} />
      {state === "unhealthy" && (
        <path d={`M${x - 5} ${y - 5}l10 10m0-10l-10 10`} strokeWidth="2.5" strokeLinecap="round" />
      )}
    </g>
  );
}

function Box({ place: { name, x, y }, state }: { place: Place; state: State }) {
  const { Icon, color, label } = stateLook[state];
  return (
    <Link
      href={servicePath(name)}
      prefetch={false}
      title={name}
      data-testid={`node-${name}`}
      data-state={state}
      className={`absolute flex h-10 w-44 items-center gap-2 rounded-md border bg-surface px-2.5 hover:border-muted ${state === "unhealthy" ? "border-unhealthy" : "border-line"}`}
      style={{ left: x, top: y }}
    >
      <Icon className={color} />
      <span className="truncate font-medium">{name}</span>
      <span className="sr-only">{label}</span>
    </Link>
  );
}

/** Places are found anew where services or dependencies come and go, not where their state changes. */
function useArrangement(names: string[], dependencies: Dependency[]): Arrangement | undefined {
  const [found, setFound] = useState<{ of: string; arrangement: Arrangement }>();
  const of = JSON.stringify([names, dependencies]);
  useEffect(() => {
    let wanted = true;
    void import("../arrange").then(({ arrange }) => {
      if (wanted) {
        const [names, dependencies] = JSON.parse(of);
        setFound({ of, arrangement: arrange(names, dependencies) });
      }
    });
    return () => {
      wanted = false;
    };
  }, [of]);
  return found?.of === of ? found.arrangement : undefined;
}

function List({ services, dependencies }: { services: Service[]; dependencies: Dependency[] }) {
  return (
    <ul
      aria-label="Who needs whom"
      data-testid="graph-list"
      className="gap-x-8 border-line border-t px-4 py-3 text-xs max-md:border-t-0 sm:columns-2 lg:columns-3"
    >
      {services.map(({ name, state }) => {
        const needs = dependencies.filter(({ from }) => from === name).map(({ to }) => to);
        const { Icon, color, label } = stateLook[state];
        return (
          <li key={name} className="flex items-baseline gap-1.5 py-0.5">
            <Icon className={`size-3! self-center ${color}`} />
            <span className="wrap-anywhere min-w-0">
              <Link
                href={servicePath(name)}
                prefetch={false}
                className="font-medium underline-offset-4 hover:underline"
              >
                {name}
              </Link>
              <span className="text-muted">
                {" "}
                is {label.toLowerCase()}
                {needs.length > 0 && `, needs ${listed(needs)}`}
              </span>
            </span>
          </li>
        );
      })}
    </ul>
  );
}
