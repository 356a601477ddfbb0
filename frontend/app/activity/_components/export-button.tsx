"use client";

import { useEffect, useRef, useState } from "react";
import { Button } from "@/components/button";
import type { Problem } from "@/lib/problem";
import { saveAs } from "@/lib/save-as";
import { allRecords } from "../query-options";
import type { Filter } from "../search-params";

/** Writes all records that a filter finds into a file, one in JSON on each line. */
export function ExportButton({ filter, disabled }: { filter: Filter; disabled: boolean }) {
  const [said, setSaid] = useState<string>();
  const reading = useRef<AbortController>(undefined);
  useEffect(() => () => reading.current?.abort(), []);

  async function write() {
    reading.current = new AbortController();
    setSaid("Reading…");
    try {
      const records = await allRecords(filter, reading.current.signal);
      const text = records.map((record) => `${JSON.stringify(record)}\n`).join("");
      saveAs("activity.ndjson", text, "application/x-ndjson");
      setSaid(undefined);
    } catch (thrown) {
      setSaid(`Not exported: ${(thrown as Problem).message}`);
    }
  }

  return (
    <div className="flex items-center gap-2 text-xs">
      <Button
        disabled={disabled || said === "Reading…"}
        onClick={write}
        className="disabled:cursor-default disabled:text-muted"
      >
        Export
      </Button>
      <span role="status" className="wrap-anywhere text-muted empty:hidden">
        {said}
      </span>
    </div>
  );
}
