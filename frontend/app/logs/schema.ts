import { z } from "zod";

/** The least severe first. */
export const levels = ["debug", "info", "warning", "error"] as const;
export type Level = (typeof levels)[number];

const lineSchema = z.object({
  /** Orders the lines by their arrival; the cursor of a live view. */
  id: z.string(),
  time: z.string(),
  service: z.string(),
  pod: z.string().default(""),
  container: z.string().default(""),
  /** None where the line names none. */
  level: z.enum(levels).optional(),
  message: z.string(),
  fields: z.record(z.string(), z.string()).optional(),
  /** Changes of how a terminal writes, each before a byte of the message. */
  styles: z.array(z.object({ at: z.number(), code: z.string() })).optional(),
  /** How many lines are missing here; the line stands for them. */
  skipped: z.number().optional(),
});
export type Line = z.infer<typeof lineSchema>;

export const linesSchema = z.array(lineSchema);

export const foundSchema = z.object({
  lines: linesSchema,
  context: z.array(z.object({ before: linesSchema, after: linesSchema })).optional(),
  /** The cursor of the page after this one; none on the last. */
  next: z.string().optional(),
  /** Whether the page is full or the last; otherwise the time of one search was used up. */
  complete: z.boolean(),
});

export const countsSchema = z.object({
  counts: z.array(
    z.object({
      at: z.string(),
      level: z.enum(levels).optional(),
      lines: z.number(),
      /** Whether these lines are missing. */
      skipped: z.boolean().default(false),
    }),
  ),
});
export type Counts = z.infer<typeof countsSchema>;
