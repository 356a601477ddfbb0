import { Button } from "@/components/button";
import { ChangePanel } from "@/components/change-panel";
import { Command } from "@/components/command";
import { CopyButton } from "@/components/copy-button";
import { HealthStrip } from "@/components/health-strip";
import {
  ErrorsIcon,
  HealthyIcon,
  PauseIcon,
  PendingIcon,
  PlayIcon,
  RemovedIcon,
  RestartIcon,
  StartingIcon,
  UnhealthyIcon,
} from "@/components/icons";
import { Key } from "@/components/key";
import { KubernetesNotice } from "@/components/kubernetes-notice";
import { Link } from "@/components/link";
import { LiveControl } from "@/components/live-control";
import { None } from "@/components/none";
import { NothingHere } from "@/components/nothing-here";
import { Pages } from "@/components/pages";
import { Panel } from "@/components/panel";
import { ProblemView } from "@/components/problem-view";
import { ReasonNote } from "@/components/reason-note";
import { Skeleton } from "@/components/skeleton";
import { StateBadge } from "@/components/state";
import { Unread } from "@/components/unread";
import type { Freshness } from "@/lib/freshness";
import { type Problem, problemCodes } from "@/lib/problem";
import { aChange, aCurve, NOW } from "@/lib/stack/fixtures";
import { states } from "@/lib/stack/schema";
import { actionPlaces } from "./actions";
import { framePlaces } from "./frame";
import { as, type Places } from "./place";

const nothing = () => {};

const reason = { code: "crash", message: 'container "redis" ended with exit code 1' };
const problem: Problem = { code: "api_error", message: "the database does not answer" };

const live = { updatedAt: NOW - 3_000, now: NOW, onToggle: nothing };

/** Those of components/, by their files. */
export const components: Places = {
  button: [
    as("to be pressed", <Button>Restart</Button>),
    as("not now", <Button disabled>Restart</Button>),
    as("that agrees", <Button className="border-accent! text-accent">Restart</Button>),
  ],
  "change-panel": [
    as("reading", <ChangePanel title="Read" changes={undefined} problem={undefined} now={NOW} />),
    as("of nothing", <ChangePanel title="None" changes={[]} problem={undefined} now={NOW} />),
    as(
      "of each state",
      <ChangePanel
        title="Some"
        more="/history"
        problem={undefined}
        now={NOW}
        changes={[...states, "removed" as const].map((state, id) =>
          aChange({ id, state, message: state === "unhealthy" ? reason.message : "" }),
        )}
      />,
    ),
    as(
      "that cannot be read, over what was",
      <ChangePanel title="Old" changes={[aChange()]} problem={problem} now={NOW} />,
    ),
  ],
  command: [as("to be typed", <Command>zr dashboard</Command>)],
  "copy-button": [as("to be pressed", <CopyButton label="Copy" text={() => "zr up"} />)],
  "health-strip": [
    as(
      "each state of a step",
      <HealthStrip
        steps
        label="the last hour of redis"
        className="h-10 w-full"
        points={aCurve("unknown", "stopped", "starting", "unhealthy", "healthy", "healthy")}
      />,
    ),
    as(
      "small",
      <HealthStrip
        label="the last hour of api"
        className="h-4 w-20"
        points={aCurve("healthy", "unhealthy", "healthy")}
      />,
    ),
    as("of nothing", <HealthStrip label="nothing" className="h-4 w-20" points={[]} />),
  ],
  icons: Object.entries({
    healthy: HealthyIcon,
    starting: StartingIcon,
    unhealthy: UnhealthyIcon,
    pending: PendingIcon,
    removed: RemovedIcon,
    pause: PauseIcon,
    play: PlayIcon,
    errors: ErrorsIcon,
    restart: RestartIcon,
  }).map(([name, Icon]) => as(name, <Icon />)),
  key: [as("of the keyboard", <Key>Ctrl K</Key>)],
  "kubernetes-notice": [
    as("with a reason", <KubernetesNotice reason="timeout" />),
    as("without", <KubernetesNotice reason="" />),
  ],
  link: [
    as(
      "to a screen",
      <Link href="/history" className="text-accent underline underline-offset-4">
        All changes
      </Link>,
    ),
  ],
  "live-control": (["live", "paused", "stale"] as Freshness[])
    .map((freshness) =>
      as(
        freshness,
        <LiveControl {...live} freshness={freshness} paused={freshness === "paused"} />,
      ),
    )
    .concat(
      as("down", <LiveControl {...live} freshness="down" updatedAt={undefined} paused={false} />),
    ),
  none: [as("where nothing is known", <None />)],
  "nothing-here": [
    as("an address of nothing", <NothingHere title="No such page">It never was.</NothingHere>),
  ],
  pages: [
    as("the first", <Pages newest={undefined} older="/history?cursor=2" />),
    as("the last", <Pages newest="/history" older={undefined} />),
  ],
  panel: [
    as(
      "with a note",
      <Panel title="Pods" note="two of them">
        <p className="px-4 py-3">What is in it.</p>
      </Panel>,
    ),
  ],
  "problem-view": problemCodes.map((code) =>
    as(
      code,
      <ProblemView
        problem={{ code, message: problem.message }}
        note="This page asks again every 2 s."
        onRetry={nothing}
      />,
    ),
  ),
  "reason-note": states.map((state) => as(state, <ReasonNote reason={reason} state={state} />)),
  skeleton: [as("on its way", <Skeleton />)],
  state: states.map((state) => as(state, <StateBadge state={state} />)),
  unread: [
    as("on its way", <Unread problem={null} />),
    as("that cannot be read", <Unread problem={problem} />),
  ],
  ...actionPlaces,
  ...framePlaces,
};
