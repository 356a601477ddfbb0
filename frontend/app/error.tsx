"use client";

import { Button } from "@/components/button";

/** A fault of the dashboard itself, as opposed to one of what it shows. */
export default function ScreenError({ error, reset }: { error: Error; reset: () => void }) {
  return (
    <div role="alert" className="py-16 text-center">
      <h1 className="font-semibold text-xl">This screen failed</h1>
      <p className="mx-auto mt-2 max-w-lg wrap-anywhere font-mono text-muted text-xs">
        {error.message}
      </p>
      <Button onClick={reset} className="mt-4">
        Show it again
      </Button>
    </div>
  );
}
