import type { z } from "zod";
import { decode } from "./decode";
import type { Outcome } from "./problem";
import { getUpstream } from "./upstream";

/** Reads a document of the api while a page renders on the server. */
export async function load<T>(path: string, schema: z.ZodType<T>): Promise<Outcome<T>> {
  const outcome = await getUpstream(path);
  return outcome.ok ? decode(path, schema, outcome.data) : outcome;
}
