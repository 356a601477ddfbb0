import { useQuery } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import type { Problem } from "@/lib/problem";
import { previewQuery } from "./query-options";
import type { Preview } from "./schema";

/** How long nothing is written before the api is asked, in milliseconds. */
const SETTLED_MS = 250;

/** What the api says of a text of settings. */
export interface Previewed {
  /** Of the text as it is now. */
  preview?: Preview;
  problem?: Problem;
  /** Whether the answer is still to come. */
  checking: boolean;
  again: () => void;
}

/** Asks the api what a text would do, as one writes it; not without a text. */
export function usePreview(
  environment: string | undefined,
  etag: string,
  text: string | undefined,
): Previewed {
  const [asked, setAsked] = useState(text);
  useEffect(() => {
    const timer = setTimeout(() => setAsked(text), SETTLED_MS);
    return () => clearTimeout(timer);
  }, [text]);
  const { data, error, isFetching, refetch } = useQuery({
    ...previewQuery(environment, asked ?? "", etag),
    enabled: asked !== undefined,
  });
  const isCurrent = text !== undefined && asked === text;
  return {
    preview: isCurrent && !error ? data : undefined,
    problem: isCurrent && !isFetching ? (error ?? undefined) : undefined,
    checking: text !== undefined && (!isCurrent || isFetching),
    again: () => void refetch(),
  };
}
