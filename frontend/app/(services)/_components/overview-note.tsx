import type { Problem } from "@/lib/problem";
import type { Overview } from "@/lib/stack/overview";

/** Says, where those columns are, why what is used or who made the last changes is not known. */
export function OverviewNote({
  loggedIn,
  data,
  error,
}: {
  loggedIn: boolean;
  data: Overview | undefined;
  error: Problem | null;
}) {
  const notes = why(loggedIn, data, error);
  return notes.length === 0 ? null : (
    <div
      data-testid="overview-note"
      className="hidden border-line border-t px-4 py-2 text-muted text-xs xl:block"
    >
      {notes.map((note) => (
        <p key={note} className="wrap-anywhere">
          {note}
        </p>
      ))}
    </div>
  );
}

const SUBJECT = "CPU, memory and who changed a service last";

function why(loggedIn: boolean, data: Overview | undefined, error: Problem | null): string[] {
  if (!loggedIn || error?.code === "not_logged_in") {
    return [`${SUBJECT} are shown to viewers and operators: zr dashboard makes a login link.`];
  }
  if (error) {
    return [`${SUBJECT} are not known: ${error.message}`];
  }
  return [
    ...(data?.usageWhy ? [`CPU and memory are not known: ${data.usageWhy}`] : []),
    ...(data?.namesWhy ? [`Who made the last changes is not known: ${data.namesWhy}`] : []),
  ];
}
