import { Panel } from "@/components/panel";
import { reasonText } from "@/lib/stack/reason-text";
import type { Services } from "@/lib/stack/schema";
import { latency } from "@/lib/time";
import { Checks } from "./checks";

/** What the api sees of the environment by itself. */
export function Cluster({ services, known }: { services: Services; known: boolean }) {
  const { kubernetes, namespace } = services;
  const all = services.services;
  const healthy = all.filter(({ state }) => state === "healthy").length;
  return (
    <Panel
      title={known ? "Cluster" : "Cluster as it was"}
      note={<span className="font-mono">{namespace}</span>}
    >
      <Checks
        testid="cluster"
        checks={[
          kubernetes.status === "ok"
            ? {
                name: "Kubernetes",
                status: "ok",
                detail: `answers the api in ${latency(kubernetes.latencyMs)}`,
              }
            : {
                name: "Kubernetes",
                status: "fail",
                detail: `does not answer the api${kubernetes.reason && `: ${reasonText(kubernetes.reason)}`}`,
                command: "zr status",
              },
          {
            name: "Services",
            status: healthy === all.length && all.length > 0 ? "ok" : "warn",
            detail: all.length === 0 ? "there are none" : `${healthy} of ${all.length} are healthy`,
            command: healthy === all.length && all.length > 0 ? "" : "zr up",
          },
        ]}
      />
    </Panel>
  );
}
