import { useActions } from "@/components/actions/actions";
import type { Asked } from "@/components/actions/asked";
import { type Going, Notices } from "@/components/actions/notices";
import { Offer } from "@/components/actions/offer";
import { Button } from "@/components/button";
import { as, type Places } from "./place";

const nothing = () => {};

/** A dialog covers all else: it is opened by a press. */
function Opens({ asked }: { asked: Asked }) {
  const ask = useActions();
  return (
    <Button data-opens onClick={() => ask?.(asked)}>
      Open
    </Button>
  );
}

const dialogs: Record<string, Asked> = {
  "what can be done": { service: "api" },
  restart: { service: "api", action: "restart" },
  "stop, and who needs it": { service: "redis", action: "stop", dependents: ["api"] },
  scale: { service: "api", action: "scale" },
  "roll back": { service: "api", action: "rollback", revision: 2 },
  "of nobody": { service: "nobody", action: "stop" },
};

/** What is below a corner of its own, and not of the window. */
function Cornered({ going }: { going: Going }) {
  return (
    <div className="relative h-48 translate-0">
      <Notices going={[going]} onDismiss={nothing} onAgain={nothing} />
    </div>
  );
}

const change = { environment: undefined, service: "api", action: "restart" as const };
const going: Going = { id: 1, change, dependents: [] };

/** Those of components/actions/. */
export const actionPlaces: Places = {
  "actions/action-dialog": Object.entries(dialogs).map(([state, asked]) =>
    as(state, <Opens asked={asked} />),
  ),
  "actions/dev-actions": [
    as("rebuild", <Opens asked={{ service: "api", action: "rebuild" }} />),
    as("apply", <Opens asked={{ service: "", action: "apply" }} />),
  ],
  "actions/notices": [
    as("it goes on", <Cornered going={going} />),
    as("it is done", <Cornered going={{ ...going, effect: { replicas: 1, ready: 1 } }} />),
    as(
      "it failed",
      <Cornered
        going={{ ...going, problem: { code: "not_in_effect", message: "0 of 1 pods are ready" } }}
      />,
    ),
    as(
      "it was refused",
      <Cornered
        going={{
          ...going,
          problem: { code: "refused", message: "web depends on it", dependents: ["web"] },
        }}
      />,
    ),
  ],
  "actions/offer": [
    as(
      "that can be picked",
      <ul>
        <Offer action="restart" off={false} onPick={nothing} />
      </ul>,
    ),
    as(
      "that cannot, and why",
      <ul>
        <Offer action="start" off={false} reason="It runs." onPick={nothing} />
      </ul>,
    ),
    as(
      "that is done at once",
      <ul>
        <Offer action="start" off={false} does="api gets its pods back." onPick={nothing} />
      </ul>,
    ),
  ],
};
