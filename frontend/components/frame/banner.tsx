import type { ReactNode } from "react";
import { Button } from "@/components/button";
import type { HealthyIcon } from "@/components/icons";

/** A line below the header of every screen, about all that is below it. */
export function Banner({
  Icon,
  color,
  onDismiss,
  children,
  ...data
}: {
  Icon: typeof HealthyIcon;
  color: string;
  onDismiss?: () => void;
  children: ReactNode;
  "data-testid": string;
  "data-state"?: string;
}) {
  return (
    <div {...data} className="border-line border-b bg-surface">
      <div className="mx-auto flex w-full max-w-7xl 2xl:max-w-384 items-start gap-2.5 px-4 py-2 text-xs sm:px-6">
        <Icon className={`mt-0.5 ${color}`} />
        <p className="wrap-anywhere min-w-0 flex-1 py-0.5">{children}</p>
        {onDismiss && <Button onClick={onDismiss}>Dismiss</Button>}
      </div>
    </div>
  );
}
