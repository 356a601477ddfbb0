import { Button } from "@/components/button";
import { Panel } from "@/components/panel";
import { useSnapshot } from "@/lib/snapshot/context";
import { type Finding, statuses } from "../schema";
import { Checks } from "./checks";

/** What the attached `zr dev` finds on its machine, in its project and in its cluster. */
export function Checklist({
  findings,
  asking,
  onAsk,
}: {
  findings: Finding[];
  asking: boolean;
  onAsk: () => void;
}) {
  const snapshot = useSnapshot();
  const bad = findings.filter(({ status }) => status === "fail").length;
  const odd = findings.filter(({ status }) => status === "warn").length;
  const sorted = statuses.flatMap((each) => findings.filter(({ status }) => status === each));
  return (
    <Panel
      title="Machine and project"
      note={
        !snapshot && (
          <Button onClick={onAsk} disabled={asking} className="h-6! disabled:text-muted">
            {asking ? "Looking…" : "Look again"}
          </Button>
        )
      }
    >
      <p
        role="status"
        data-testid="verdict"
        className={`border-line border-b px-4 py-3 font-medium ${bad > 0 ? "text-unhealthy" : ""}`}
      >
        {verdict(bad, odd)}
      </p>
      <Checks testid="checklist" checks={sorted} />
    </Panel>
  );
}

function verdict(bad: number, odd: number): string {
  if (bad > 0) {
    return `${bad} ${bad === 1 ? "thing keeps" : "things keep"} zr from working`;
  }
  return odd > 0
    ? `zr works; ${odd} ${odd === 1 ? "thing is" : "things are"} to be known`
    : "Everything is in order";
}
