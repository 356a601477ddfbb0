import { z } from "zod";
import { failed, type Outcome } from "./problem";

/** Checks a document of the api against its schema: two versions of the stack may not speak alike. */
export function decode<T>(path: string, schema: z.ZodType<T>, body: unknown): Outcome<T> {
  const parsed = schema.safeParse(body);
  return parsed.success
    ? { ok: true, data: parsed.data }
    : failed("api_unexpected", `reading ${path}: ${z.prettifyError(parsed.error)}`);
}
