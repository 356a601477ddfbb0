import { Panel } from "@/components/panel";
import { Line } from "./line";

const steps = [
  {
    title: "Bring the environment up",
    text: "It makes the cluster and the images, applies the manifests, and waits until everything is healthy.",
    command: "zr up",
  },
  {
    title: "Work on it",
    text: "Every save is live a moment later, and this dashboard follows. It also looks at your machine, and proposes the lines that make a service of a folder.",
    command: "zr dev",
  },
  {
    title: "Where something is missing",
    text: "It says what, and what mends it.",
    command: "zr doctor",
  },
];

/** What to do first, where nothing runs yet. */
export function FirstRun() {
  return (
    <Panel title="Nothing runs here yet" note="In a terminal, in the folder of the project">
      <ol data-testid="first-run" className="divide-y divide-line">
        {steps.map(({ title, text, command }, i) => (
          <li key={command} className="flex gap-4 px-4 py-3">
            <span aria-hidden="true" className="w-4 font-semibold text-lg text-muted">
              {i + 1}
            </span>
            <div className="grid min-w-0 gap-1.5">
              <p className="font-medium">{title}</p>
              <p className="text-muted text-xs">{text}</p>
              <Line>{command}</Line>
            </div>
          </li>
        ))}
      </ol>
    </Panel>
  );
}
