import { z } from "zod";
import { inertText } from "@/lib/inert-text";

export const outcomes = ["done", "refused", "failed"] as const;
export type RecordOutcome = (typeof outcomes)[number];

const recordSchema = z.object({
  id: z.number().int(),
  at: z.iso.datetime({ offset: true }),
  /** The name of a session or a token, or an address. */
  actor: inertText,
  /** A route's id, such as "stopService"; of a refused request, its method. */
  action: z.string(),
  /** What it was done to; of a refused request, its path. */
  target: inertText,
  outcome: z.enum(outcomes),
  detail: inertText.default(""),
});
export type AuditRecord = z.infer<typeof recordSchema>;

export const activitySchema = z.object({
  records: z.array(recordSchema),
  /** The cursor of the page after this one; none on the last. */
  next: z.string().optional(),
});
export type Activity = z.infer<typeof activitySchema>;
