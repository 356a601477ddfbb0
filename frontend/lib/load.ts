import { headers } from "next/headers";
import type { z } from "zod";
import { needsSession } from "./allow-list";
import { decode } from "./decode";
import { failed, type Outcome } from "./problem";
import { sessionIn } from "./session";
import { askUpstream } from "./upstream";

/** Whether who asks for the page has a session, which a script of the page cannot see. */
export async function hasSession(): Promise<boolean> {
  return (await sessionOfRequest()) !== undefined;
}

/** The session of who asks for the page. */
export async function sessionOfRequest(): Promise<string | undefined> {
  return sessionIn((await headers()).get("cookie"));
}

/** Reads a document of the api while a page renders on the server, as who asks for it. */
export async function load<T>(path: string, schema: z.ZodType<T>): Promise<Outcome<T>> {
  const session = await sessionOfRequest();
  // The api records each refusal: who has no session need not ask whose it is.
  if (!session && needsSession(path.replace(/\?.*/, ""))) {
    return failed("not_logged_in", "this browser has no session of the api");
  }
  const outcome = await askUpstream(path, { session });
  return outcome.ok ? decode(path, schema, outcome.data) : outcome;
}
