import { Button } from "@/components/button";
import { Dialog } from "@/components/dialog";
import { Key } from "@/components/key";
import { screens } from "@/lib/screens";
import { NotifySwitch } from "./notify-switch";

const shortcuts: { keys: string[]; does: string }[] = [
  { keys: ["Ctrl K", "⌘ K"], does: "Go to a service or a screen" },
  ...screens.map(({ key, label }) => ({ keys: [`g ${key}`], does: `Show ${label}` })),
  { keys: ["/"], does: "Write into the filter of the logs" },
  { keys: ["?"], does: "Show this list" },
  { keys: ["Esc"], does: "Close what is open" },
];

export function Help({ onClose }: { onClose: () => void }) {
  return (
    <Dialog label="Keyboard shortcuts" onClose={onClose}>
      <div data-testid="help" className="p-4">
        <div className="flex items-center justify-between">
          <h2 className="font-semibold">Keyboard shortcuts</h2>
          <Button onClick={onClose}>Close</Button>
        </div>
        <dl className="mt-3 divide-y divide-line">
          {shortcuts.map(({ keys, does }) => (
            <div key={does} className="flex items-center justify-between gap-4 py-2">
              <dt>{does}</dt>
              <dd className="flex gap-1.5">
                {keys.map((key) => (
                  <Key key={key}>{key}</Key>
                ))}
              </dd>
            </div>
          ))}
        </dl>
        <NotifySwitch />
      </div>
    </Dialog>
  );
}
