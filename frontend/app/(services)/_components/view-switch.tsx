import { type View, views } from "../search-params";

const label: Record<View, string> = { table: "Table", graph: "Graph" };

/** Chooses how the services are shown. */
export function ViewSwitch({ view, onChange }: { view: View; onChange: (view: View) => void }) {
  return (
    <span className="inline-flex gap-1">
      {views.map((each) => (
        <button
          key={each}
          type="button"
          aria-pressed={each === view}
          onClick={() => onChange(each)}
          className={`cursor-pointer rounded px-1.5 ${each === view ? "bg-line font-medium text-ink" : "hover:text-ink"}`}
        >
          {label[each]}
        </button>
      ))}
    </span>
  );
}
