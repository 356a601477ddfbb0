import { None } from "@/components/none";
import type { LastChange, Use } from "@/lib/stack/overview";
import {
  coresText,
  doneText,
  measuredText,
  memoryText,
  ofLimit,
  scaledText,
  whoText,
} from "@/lib/stack/overview-text";
import { ago } from "@/lib/time";

/** The CPU and the memory of what runs of a service; what is measured, of what may be, is in its title. */
export function UseCell({ use }: { use: Use | undefined }) {
  if (!use || use.running === 0) {
    return <None />;
  }
  if (use.measured === 0) {
    return <span className="text-muted">not measured yet</span>;
  }
  const { cpuCores, cpuCoresLimit, memoryBytes, memoryBytesLimit } = use;
  const title = [
    ofLimit(coresText, cpuCores, cpuCoresLimit),
    ofLimit(memoryText, memoryBytes, memoryBytesLimit),
    measuredText(use),
  ];
  return (
    <span title={title.filter(Boolean).join("\n")}>
      {coresText(cpuCores)}
      <span className="block text-muted text-xs">
        {memoryText(memoryBytes)}
        {use.measured < use.running && ", not all"}
      </span>
    </span>
  );
}

/** What was done last, by whom where that is known, and how long ago. */
export function LastChangeCell({ change, now }: { change: LastChange | undefined; now: number }) {
  if (!change) {
    return <None />;
  }
  const title = [`${doneText(change)} ${whoText(change)}`, change.at, scaledText(change)];
  return (
    <span title={title.filter(Boolean).join("\n")} className="block max-w-44">
      {doneText(change)}{" "}
      <time dateTime={change.at} className="text-muted">
        {ago(now - Date.parse(change.at))}
      </time>
      <span className="block truncate text-muted text-xs">{whoText(change)}</span>
    </span>
  );
}
