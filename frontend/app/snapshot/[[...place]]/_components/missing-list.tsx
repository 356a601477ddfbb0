import { advice } from "@/components/advice";
import { shownText } from "@/lib/inert-text";
import type { SnapshotFile } from "@/lib/snapshot/format";

/** How many are named: a service alone has seven. */
const FEW = 12;

/** What a snapshot does not have, and why. */
export function MissingList({ missing }: { missing: SnapshotFile["missing"] }) {
  if (missing.length === 0) {
    return null;
  }
  const few = missing.slice(0, FEW);
  return (
    <div className="text-xs">
      <p className="font-medium">
        {missing.length} {missing.length === 1 ? "part is" : "parts are"} missing, and the file says
        so:
      </p>
      <ul data-testid="missing" className="mt-1 space-y-0.5">
        {few.map(({ what, path, code }) => (
          <li key={path} className="wrap-anywhere">
            {shownText(what)} <span className="text-muted">{advice[code].title}</span>
          </li>
        ))}
      </ul>
      {missing.length > FEW && <p className="text-muted">and {missing.length - FEW} more</p>}
    </div>
  );
}
