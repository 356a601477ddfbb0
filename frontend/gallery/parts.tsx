import { ServiceTable } from "@/app/(services)/_components/service-table";
import { Changes } from "@/app/configuration/_components/changes";
import { Effects } from "@/app/configuration/_components/effects";
import { Refusal } from "@/app/configuration/_components/refusal";
import { aPreview } from "@/app/configuration/fixtures";
import { LineRow } from "@/app/logs/_components/line-row";
import { aLine } from "@/app/logs/fixtures";
import { levels } from "@/app/logs/schema";
import { parseState } from "@/app/logs/search-params";
import { Pods } from "@/app/services/[name]/_components/pods";
import { Checks } from "@/app/setup/_components/checks";
import { LatencyChart } from "@/app/uptime/_components/latency-chart";
import { Outages } from "@/app/uptime/_components/outages";
import { aCurve, anOutage, anOverview, aPast, aPod, aService, NOW } from "@/lib/stack/fixtures";
import { states } from "@/lib/stack/schema";
import { as, type Places } from "./place";

const nothing = () => {};

const reason = { code: "crash", message: 'container "api" ended with exit code 1' };
const services = states.map((state) =>
  aService({ name: state, state, ...(state !== "healthy" && { ready: 0, reason }) }),
);
const outages = [anOutage({ end: "lasting" }), anOutage({ service: "redis" })];
const row = {
  state: parseState(new URLSearchParams("time=utc")),
  opened: false,
  linked: false,
  now: 0,
  onToggle: nothing,
  onChange: nothing,
};
const measured = aCurve("healthy", "healthy", "healthy").map((point, i) => ({
  ...point,
  p95: 0.4 + i,
}));

const used = { running: 1, measured: 1, cpuCores: 0.25, memoryBytes: 2 ** 26 };

/** Parts of the screens that have states of their own. */
export const parts: Places = {
  "services: the table": [
    as(
      "each state",
      <ServiceTable services={services} past={[aPast({ service: "healthy" })]} now={NOW} known />,
    ),
    as(
      "what is used, and who changed it last",
      <ServiceTable
        services={[aService(), aService({ name: "new" }), aService({ name: "edited" })]}
        overview={[
          anOverview(),
          anOverview({ name: "new", use: { ...used, measured: 0 } }),
          anOverview({
            name: "edited",
            use: { ...used, running: 3 },
            lastChange: { at: new Date(NOW).toISOString(), what: "changed", with: "kubectl-edit" },
          }),
        ]}
        now={NOW}
        known
      />,
    ),
    as("what was", <ServiceTable services={[aService()]} now={NOW} known={false} />),
  ],
  "a service: its pods": [
    as("none", <Pods pods={[]} now={NOW} />),
    as(
      "one of each kind",
      <Pods now={NOW} pods={[aPod(), aPod({ name: "b", ready: false, reason })]} />,
    ),
  ],
  "logs: a line": [
    ...levels.map((level) => as(level, <LineRow {...row} line={aLine({ level })} />)),
    as("that a link leads to", <LineRow {...row} linked line={aLine()} />),
    as("that is open", <LineRow {...row} opened line={aLine({ fields: { path: "/" } })} />),
    as("lines that are missing", <LineRow {...row} line={aLine({ skipped: 40 })} />),
  ],
  "health: outages": [
    as("none", <Outages outages={[]} all={[]} services={[]} now={NOW} />),
    as(
      "one that lasts, and one that is over",
      <Outages outages={outages} all={outages} services={services} now={NOW} />,
    ),
  ],
  "health: latency": [
    as("measured", <LatencyChart points={measured} />),
    as("not measured", <LatencyChart points={[]} />),
  ],
  "configuration: what differs": [
    as("a value", <Changes changes={aPreview().changes} labels={["file", "cluster"]} />),
    as("what it does", <Effects preview={aPreview()} />),
    as("nothing", <Effects preview={aPreview({ changes: [], rolls: [] })} />),
    as(
      "what is wrong",
      <Refusal
        problem={{
          code: "invalid",
          message: "this cannot be written",
          faults: [{ line: 1, column: 7, message: "settings.SIZE: expected text" }],
        }}
      />,
    ),
  ],
  "setup: checks": [
    as(
      "each outcome",
      <Checks
        testid="checks"
        checks={[
          { name: "container engine", status: "ok", detail: "it answers" },
          { name: "clock", status: "warn", detail: "it is 2 s behind", hint: "set it" },
          { name: "port 3000", status: "fail", detail: "it is taken", command: "zr doctor --fix" },
        ]}
      />,
    ),
  ],
};
