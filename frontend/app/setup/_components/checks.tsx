import type { ComponentType } from "react";
import { HealthyIcon, RemovedIcon, UnhealthyIcon } from "@/components/icons";
import type { Status } from "../schema";
import { Line } from "./line";

const look: Record<
  Status,
  { text: string; color: string; Icon: ComponentType<{ className?: string }> }
> = {
  ok: { text: "in order", color: "text-healthy", Icon: HealthyIcon },
  warn: { text: "to be known", color: "text-starting", Icon: RemovedIcon },
  fail: { text: "to be mended", color: "text-unhealthy", Icon: UnhealthyIcon },
};

interface Check {
  name: string;
  status: Status;
  detail: string;
  /** What mends it, in words, and as a line for a terminal. */
  hint?: string;
  command?: string;
}

/** What was looked at: how it is, and the command that mends it. */
export function Checks({ checks, testid }: { checks: Check[]; testid: string }) {
  return (
    <ul data-testid={testid} className="divide-y divide-line">
      {checks.map(({ name, status, detail, hint, command }, i) => {
        const { text, color, Icon } = look[status];
        return (
          <li
            // biome-ignore lint/suspicious/noArrayIndexKey: two ports may have one name
            key={i}
            data-status={status}
            className="flex gap-2.5 px-4 py-2.5"
          >
            <Icon className={`mt-0.5 ${color}`} />
            <div className="grid min-w-0 flex-1 gap-1 sm:grid-cols-[10rem_minmax(0,1fr)] sm:gap-x-4">
              <p className="wrap-anywhere">
                <span className="font-medium">{name}</span>
                <span className={`block text-xs ${color}`}>{text}</span>
              </p>
              <div className="grid min-w-0 content-start gap-1.5 text-xs">
                <p className="wrap-anywhere whitespace-pre-line">{detail}</p>
                {hint && <p className="wrap-anywhere whitespace-pre-line text-muted">{hint}</p>}
                {command && <Line>{command}</Line>}
              </div>
            </div>
          </li>
        );
      })}
    </ul>
  );
}
