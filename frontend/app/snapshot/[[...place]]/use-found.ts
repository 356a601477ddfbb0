import { useEffect, useMemo, useState } from "react";
import type { Line } from "@/app/logs/schema";
import type { LogState } from "@/app/logs/search-params";
import type { Answer, Asked } from "./expression";
import { isWanted, searchedIn } from "./lines";

/** How long an expression may take, in milliseconds. */
const LONGEST_MS = 5_000;

const TOO_LONG: Answer = {
  why: `It takes longer than ${LONGEST_MS / 1_000} s to be tried on these lines.`,
};

export interface Found {
  lines: Line[];
  /** Whether an expression is being tried: the lines are none until it was. */
  asking: boolean;
  /** Why it cannot be. */
  why?: string;
}

/** Those of the lines that an address asks for. */
export function useFound(all: readonly Line[], state: LogState): Found {
  const wanted = useMemo(() => all.filter((line) => isWanted(line, state)), [all, state]);
  const expression = state.isRegexp ? state.text : undefined;
  const [tried, setTried] = useState<{ of: Line[]; expression: string; answer: Answer }>();
  useEffect(() => {
    if (expression === undefined) {
      return;
    }
    const worker = new Worker(new URL("./expression.worker.ts", import.meta.url), {
      type: "module",
    });
    const end = (answer: Answer) => {
      clearTimeout(limit);
      worker.terminate();
      setTried({ of: wanted, expression, answer });
    };
    const limit = setTimeout(() => end(TOO_LONG), LONGEST_MS);
    worker.onmessage = ({ data }: MessageEvent<Answer>) => end(data);
    worker.onerror = () => end({ why: "This browser could not try it." });
    worker.postMessage({ expression, texts: wanted.map(searchedIn) } satisfies Asked);
    return () => {
      clearTimeout(limit);
      worker.terminate();
    };
  }, [wanted, expression]);
  return useMemo(() => {
    if (expression === undefined) {
      return { lines: wanted, asking: false };
    }
    const answer =
      tried?.of === wanted && tried.expression === expression ? tried.answer : undefined;
    if (!answer) {
      return { lines: [], asking: true };
    }
    return "why" in answer
      ? { lines: [], asking: false, why: answer.why }
      : {
          // What stands for missing lines is of every filter.
          lines: wanted.filter((line, i) => line.skipped !== undefined || answer.found[i]),
          asking: false,
        };
  }, [wanted, expression, tried]);
}
