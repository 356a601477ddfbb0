import type { ReactNode } from "react";
import { HealthyIcon, PendingIcon, StartingIcon } from "@/components/icons";
import type { Preview } from "../schema";
import { workloads } from "../words";
import { Changes } from "./changes";

/** What a change would do, as the api and a dry run of the API server say it. */
export function Effects({ preview }: { preview: Preview }) {
  const { changes, rolls, later } = preview;
  return (
    <div data-testid="effects">
      {changes.length === 0 ? (
        <p className="px-4 py-3 text-muted text-xs">Nothing differs from what the cluster has.</p>
      ) : (
        <Changes changes={changes} labels={["is", "will be"]} />
      )}
      <ul className="space-y-1.5 border-line border-t px-4 py-3 text-xs">
        {rolls.length > 0 ? (
          <Effect Icon={StartingIcon} color="animate-none! text-starting">
            <strong className="font-semibold">Rolls {workloads(rolls)}.</strong> The pods are
            replaced in turn.
          </Effect>
        ) : (
          <Effect Icon={PendingIcon} color="text-pending">
            Rolls nothing: no pod that runs reads what differs.
          </Effect>
        )}
        {later.length > 0 && (
          <Effect Icon={PendingIcon} color="text-pending">
            {workloads(later)} {later.length === 1 ? "reads" : "read"} it when pods are made anew.
          </Effect>
        )}
        <Effect Icon={HealthyIcon} color="text-healthy">
          Kubernetes takes it: it was asked in a dry run.
        </Effect>
      </ul>
    </div>
  );
}

function Effect({
  Icon,
  color,
  children,
}: {
  Icon: (props: { className?: string }) => ReactNode;
  color: string;
  children: ReactNode;
}) {
  return (
    <li className="flex gap-2">
      <Icon className={color} />
      <span className="wrap-anywhere min-w-0">{children}</span>
    </li>
  );
}
