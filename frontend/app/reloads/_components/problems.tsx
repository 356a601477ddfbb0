import { UnhealthyIcon } from "@/components/icons";
import { Panel } from "@/components/panel";
import type { Told } from "@/lib/dev/schema";
import { shownText } from "@/lib/inert-text";
import { Places } from "./places";

/** What keeps the newest version from running, until it is mended. */
export function Problems({ problems }: { problems: Told<"problem">[] }) {
  if (problems.length === 0) {
    return null;
  }
  return (
    <Panel title="To be mended" note="What ran before goes on">
      <ul data-testid="problems" className="divide-y divide-line">
        {problems.map(({ id, data, places, folder, machine }) => (
          <li key={id} className="flex gap-2.5 px-4 py-3">
            <UnhealthyIcon className="mt-0.5 text-unhealthy" />
            <div className="grid min-w-0 flex-1 gap-1">
              <p className="wrap-anywhere font-medium">{shownText(data.source)}</p>
              {places.length > 0 && <Places places={places} folder={folder} machine={machine} />}
              {places.length === 0 && <Text>{data.text}</Text>}
            </div>
          </li>
        ))}
      </ul>
    </Panel>
  );
}

/** What a program said, as it said it. */
export function Text({ children }: { children: string }) {
  return (
    <pre
      // biome-ignore lint/a11y/noNoninteractiveTabindex: what is longer than its place is scrolled by keyboard too
      tabIndex={0}
      className="wrap-anywhere max-h-72 overflow-y-auto whitespace-pre-wrap rounded-md bg-canvas px-3 py-2 font-mono text-xs"
    >
      {shownText(children)}
    </pre>
  );
}
