import { UnhealthyIcon } from "@/components/icons";
import { reasonText } from "@/lib/stack/reason-text";

/** Says that the list is not all there is. */
export function KubernetesNotice({ reason }: { reason: string }) {
  return (
    <p
      role="alert"
      data-testid="kubernetes-notice"
      className="mb-6 flex gap-2.5 rounded-lg border border-starting/40 bg-surface px-4 py-3 text-xs"
    >
      <UnhealthyIcon className="text-starting" />
      <span>
        <strong className="font-semibold">The api cannot ask Kubernetes.</strong>{" "}
        {reason && `${reasonText(reason)}. `}Below is only what it measures itself.
      </span>
    </p>
  );
}
