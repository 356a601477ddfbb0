"use client";

import { useEffect, useRef, useState } from "react";
import { Button } from "@/components/button";
import { useGo } from "@/components/environment";
import { Key } from "@/components/key";
import { screens } from "@/lib/screens";
import { Help } from "./help";
import { Palette } from "./palette";

type Opened = "palette" | "help";

/** The palette and the help sheet, their buttons, and the shortcuts of all screens. */
export function Controls() {
  const [opened, setOpened] = useState<Opened>();
  useShortcuts(setOpened);
  const close = () => setOpened(undefined);
  return (
    <div className="ml-auto flex items-center gap-2">
      <Button onClick={() => setOpened("palette")} aria-keyshortcuts="Control+K Meta+K">
        Go to
        <Key className="max-sm:hidden">Ctrl K</Key>
      </Button>
      <Button onClick={() => setOpened("help")} aria-label="Keyboard shortcuts">
        ?
      </Button>
      {opened === "palette" && <Palette onClose={close} />}
      {opened === "help" && <Help onClose={close} />}
    </div>
  );
}

/** Shortcuts of one letter are for when nothing is being written. */
function isWriting(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement &&
    target.closest("input, select, textarea, [contenteditable=true]") !== null
  );
}

function useShortcuts(setOpened: (opened: Opened) => void) {
  const go = useGo();
  /** Whether the last key was "g". */
  const going = useRef(false);
  useEffect(() => {
    function onKey(event: KeyboardEvent) {
      const goes = going.current;
      going.current = false;
      if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") {
        event.preventDefault();
        setOpened("palette");
        return;
      }
      if (event.ctrlKey || event.metaKey || event.altKey || isWriting(event.target)) {
        return;
      }
      const screen = goes && screens.find(({ key }) => key === event.key);
      if (screen) {
        go(screen.href);
      } else if (event.key === "?") {
        setOpened("help");
      }
      going.current = event.key === "g";
    }
    document.addEventListener("keydown", onKey);
    return () => document.removeEventListener("keydown", onKey);
  }, [go, setOpened]);
}
