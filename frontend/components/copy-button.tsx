"use client";

import { useEffect, useState } from "react";
import { Button } from "./button";

/** How long a button says that it has copied, in milliseconds. */
const SAID_MS = 2_000;

/** Copies a text that is made when it is pressed, and says whether it did. */
export function CopyButton({ label, text }: { label: string; text: () => string }) {
  const [said, setSaid] = useState<string>();
  useEffect(() => {
    if (said) {
      const timer = setTimeout(() => setSaid(undefined), SAID_MS);
      return () => clearTimeout(timer);
    }
  }, [said]);
  return (
    <Button
      onClick={async () => {
        try {
          await navigator.clipboard.writeText(text());
          setSaid("Copied");
        } catch {
          setSaid("The browser did not allow it");
        }
      }}
    >
      <span aria-live="polite">{said ?? label}</span>
    </Button>
  );
}
