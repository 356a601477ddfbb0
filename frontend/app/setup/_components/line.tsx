"use client";

import { Command } from "@/components/command";
import { CopyButton } from "@/components/copy-button";

/** A command of a terminal, with the button that copies it. */
export function Line({ children }: { children: string }) {
  return (
    <p className="flex flex-wrap items-center gap-2">
      <Command className="wrap-anywhere">{children}</Command>
      <CopyButton label="Copy" text={() => children} />
    </p>
  );
}
