import { createHash } from "node:crypto";

/** As many hexadecimal digits as tell sessions apart. */
const DIGITS = 16;

/** Redis keeps a session under a digest of its own: this one is another. */
const PURPOSE = "mark of ";

/**
 * Tells a session from another one, and nothing else of it: a script of a page
 * sees so that there is another, without seeing which.
 */
export function sessionMark(session: string | undefined): string | null {
  return session
    ? createHash("sha256").update(`${PURPOSE}${session}`).digest("hex").slice(0, DIGITS)
    : null;
}
