import type { ReactNode } from "react";
import { Panel } from "@/components/panel";
import type { Delivery, Flow, Moment, Spread } from "@/lib/dev/schema";
import type { Window } from "@/lib/stack/uptime";
import { windowText } from "@/lib/stack/uptime-text";
import { latency, span } from "@/lib/time";
import { Curve } from "./curve";

/** What the metrics are about. */
interface Words {
  /** One of them, and several. */
  one: string;
  several: string;
  frequency: string;
  lead: string;
  failure: string;
  restore: string;
}

const ofReloads: Words = {
  one: "save",
  several: "saves",
  frequency: "How often somebody tries something out. Small steps are easier to get right.",
  lead: "From the save until the new version is healthy: how long you wait for an answer.",
  failure: "Saves that did not compile, did not get healthy, or could not be applied.",
  restore: "From the first failure of a service until a save of it is live again.",
};

const ofDeploys: Words = {
  one: "deploy",
  several: "deploys",
  frequency: "How often zr up, or the beginning of zr dev, changed the environment.",
  lead: "From the start of the run until everything is healthy.",
  failure: "Runs that ended with an error. What somebody ended himself counts for nothing.",
  restore: "From the first run that failed until the next one that did not.",
};

/** The four metrics of DORA over a time: of saves, and of the environment. */
export function Metrics({ delivery, window }: { delivery: Delivery; window: Window }) {
  return (
    <div data-testid="metrics" className="grid min-w-0 gap-6 sm:grid-cols-2 xl:grid-cols-1">
      <Metric4
        title="Saves over time"
        words={ofReloads}
        flow={delivery.reloads}
        {...{ delivery, window }}
      />
      <Metric4
        title="Deploys over time"
        words={ofDeploys}
        flow={delivery.deploys}
        {...{ delivery, window }}
      />
    </div>
  );
}

function Metric4({
  title,
  words,
  flow,
  delivery,
  window,
}: {
  title: string;
  words: Words;
  flow: Flow;
  delivery: Delivery;
  window: Window;
}) {
  const curve = (
    label: string,
    value: (moment: Moment) => number | undefined,
    text: (value: number) => string,
  ) => (
    <Curve
      label={`${title}: ${label}`}
      delivery={delivery}
      moments={flow.curve}
      value={value}
      text={text}
    />
  );
  return (
    <Panel title={title} note={`last ${windowText[window]}`}>
      <dl className="divide-y divide-line">
        <Metric
          name="Frequency"
          figure={counted(flow.changes, words)}
          more={flow.changes > 0 && `${rate(flow.perHour)} in an hour`}
          meaning={words.frequency}
        >
          {curve(
            "frequency",
            ({ changes }) => changes,
            (n) => counted(n, words),
          )}
        </Metric>
        <Metric
          name="Lead time"
          figure={flow.leadTime && time(flow.leadTime.medianMs)}
          more={spreadText(flow.leadTime)}
          meaning={words.lead}
        >
          {curve("lead time", (moment) => moment.leadTimeMedianMs, time)}
        </Metric>
        <Metric
          name="Change failure rate"
          figure={flow.failureRate !== undefined && percent(flow.failureRate)}
          more={failures(flow)}
          meaning={words.failure}
        >
          {curve("change failure rate", ({ failed, changes }) => failed / changes, percent)}
        </Metric>
        <Metric
          name="Time to restore"
          figure={flow.timeToRestore && time(flow.timeToRestore.medianMs)}
          more={[spreadText(flow.timeToRestore), flow.broken > 0 && `${flow.broken} not mended yet`]
            .filter(Boolean)
            .join(" · ")}
          meaning={words.restore}
        >
          {curve("time to restore", (moment) => moment.timeToRestoreMedianMs, time)}
        </Metric>
      </dl>
    </Panel>
  );
}

function Metric({
  name,
  figure,
  more,
  meaning,
  children,
}: {
  name: string;
  /** None where there was nothing to tell. */
  figure: string | false | undefined;
  more: string | false | undefined;
  meaning: string;
  children: ReactNode;
}) {
  return (
    <div className="px-4 py-3">
      <dt className="text-muted text-xs">{name}</dt>
      <dd>
        <p className="flex flex-wrap items-baseline justify-between gap-x-3">
          {figure ? (
            <span className="font-semibold text-lg tracking-tight">{figure}</span>
          ) : (
            <span className="text-muted">Nothing yet</span>
          )}
          {more && <span className="text-muted text-xs">{more}</span>}
        </p>
        {figure && children}
        <p className="mt-1 text-muted text-xs">{meaning}</p>
      </dd>
    </div>
  );
}

function counted(n: number, { one, several }: Words): string {
  return `${n} ${n === 1 ? one : several}`;
}

function rate(perHour: number): string {
  return perHour < 10 ? perHour.toFixed(1) : String(Math.round(perHour));
}

/** A share of few: more than a whole number would be made up. */
function percent(share: number): string {
  return share > 0 && share < 0.01 ? "< 1 %" : `${Math.round(100 * share)} %`;
}

/** Short times to the millisecond, long ones in words. */
function time(ms: number): string {
  return ms < 60_000 ? latency(ms) : span(ms);
}

function spreadText(spread: Spread | undefined): string | undefined {
  return spread && `95 % within ${time(spread.p95Ms)}`;
}

function failures({ failed, rolledBack }: Flow): string | undefined {
  if (failed === 0) {
    return undefined;
  }
  return `${failed} failed${rolledBack > 0 ? `, ${rolledBack} rolled back` : ""}`;
}
