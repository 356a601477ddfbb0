"use client";

import { useState } from "react";
import { Button } from "@/components/button";
import { UnhealthyIcon } from "@/components/icons";
import {
  type Base,
  type Side,
  settledValues,
  type ThreeWay,
  threeWays,
  type Value,
} from "../draft";
import { ValueText } from "./changes";

/** Says that others have changed the settings meanwhile, and how each that differs is settled. */
export function Conflict({
  base,
  theirs,
  mine,
  source,
  onSettle,
  onDiscard,
}: {
  /** What the draft began with. */
  base: Base;
  /** What the cluster has now. */
  theirs: Value[];
  /** What is written; undefined where it cannot be read as settings. */
  mine: Value[] | undefined;
  /** Who has changed it, in the words of the cluster. */
  source: string;
  onSettle: (values: Value[]) => void;
  onDiscard: () => void;
}) {
  const [chosen, setChosen] = useState(new Map<string, Side>());
  const ways = mine ? threeWays(base.values, theirs, mine) : [];
  const open = ways.filter(({ key, given }) => !given && !chosen.has(key)).length;
  return (
    <section
      role="alert"
      aria-label="Conflict"
      data-testid="conflict"
      className="mb-6 rounded-lg border border-starting/60 bg-surface"
    >
      <div className="flex gap-3 px-4 py-3">
        <UnhealthyIcon className="mt-0.5 text-starting" />
        <div className="min-w-0">
          <h2 className="font-semibold">The settings were changed while you wrote</h2>
          <p className="wrap-anywhere mt-0.5 text-muted text-xs">
            They are now from <span className="font-mono">{source}</span>. What you wrote is still
            here. {mine ? "" : "Mend the text first: then each setting that differs is shown here."}
          </p>
        </div>
      </div>
      {ways.length > 0 && (
        <ul className="divide-y divide-line border-line border-y">
          {ways.map((way) => (
            <Way
              key={way.key}
              way={way}
              side={way.given ?? chosen.get(way.key)}
              onChoose={(side) => setChosen((all) => new Map(all).set(way.key, side))}
            />
          ))}
        </ul>
      )}
      <div className="flex flex-wrap items-center gap-2 px-4 py-3">
        <Button
          disabled={!mine || open > 0}
          onClick={() => onSettle(settledValues(theirs, ways, (key) => chosen.get(key)))}
          className="border-accent! text-accent disabled:cursor-default disabled:border-line! disabled:text-muted"
        >
          Go on with these
        </Button>
        <Button onClick={onDiscard}>Discard mine</Button>
        {open > 0 && (
          <span className="text-muted text-xs">
            Choose for{" "}
            {open === 1 ? "the one that both have changed" : `the ${open} that both have changed`}.
          </span>
        )}
      </div>
    </section>
  );
}

function Way({
  way,
  side,
  onChoose,
}: {
  way: ThreeWay;
  side: Side | undefined;
  onChoose: (side: Side) => void;
}) {
  const { key, base, given } = way;
  return (
    <li data-testid={`way-${key}`} className="px-4 py-2.5 text-xs">
      <fieldset>
        <legend className="wrap-anywhere font-medium font-mono">{key}</legend>
        <div className="mt-1 grid gap-2 sm:grid-cols-3">
          <div className="rounded-md border border-transparent px-2 py-1.5">
            <p className="text-muted">Before</p>
            <ValueOrNone value={base} />
          </div>
          {(["theirs", "mine"] as const).map((each) => {
            const look = `flex gap-2 rounded-md border px-2 py-1.5 ${side === each ? "border-accent" : "border-line"}`;
            return given ? (
              <div key={each} className={look}>
                <Said side={each} way={way} />
              </div>
            ) : (
              <label key={each} className={`cursor-pointer ${look}`}>
                <input
                  type="radio"
                  name={`way-${key}`}
                  checked={side === each}
                  onChange={() => onChoose(each)}
                  className="mt-0.5 accent-accent"
                />
                <Said side={each} way={way} />
              </label>
            );
          })}
        </div>
      </fieldset>
    </li>
  );
}

function Said({ side, way: { given, theirs, mine } }: { side: Side; way: ThreeWay }) {
  return (
    <span className="min-w-0">
      <span className="block text-muted">
        {side === "theirs" ? "Now in the cluster" : "Yours"}
        {given === side && " · taken"}
      </span>
      <ValueOrNone value={side === "theirs" ? theirs : mine} />
    </span>
  );
}

function ValueOrNone({ value }: { value: string | undefined }) {
  return value === undefined ? (
    <span className="text-muted">not there</span>
  ) : (
    <ValueText value={value} />
  );
}
