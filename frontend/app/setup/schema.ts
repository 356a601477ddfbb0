import { z } from "zod";
import type { Schemas } from "@/lib/api/types";
import { inertText } from "@/lib/inert-text";

/** What keeps zr from working first. */
export const statuses = ["fail", "warn", "ok"] as const;
export type Status = (typeof statuses)[number];

const finding = z.object({
  name: inertText,
  status: z.enum(statuses),
  detail: inertText,
  hint: inertText.default(""),
  /** The line that mends it, for a terminal of that machine. */
  command: inertText.default(""),
}) satisfies z.ZodType<Schemas["Finding"]>;
/** One thing that was looked at, and how it is. */
export type Finding = z.infer<typeof finding>;

/** The machine first, then the project and the cluster. */
export const findingsSchema = z.object({ findings: z.array(finding) });
export type Findings = z.infer<typeof findingsSchema>;

const snippet = z.object({
  file: z.string(),
  /** The text is all of a file that does not exist yet. */
  new: z.boolean(),
  /** The key of an existing file below which the text goes, at its end. */
  under: z.string().default(""),
  text: z.string(),
}) satisfies z.ZodType<Schemas["Snippet"]>;
export type Snippet = z.infer<typeof snippet>;

export const proposalSchema = z.object({
  service: z.string(),
  kind: z.enum(["go", "node", "dockerfile"]),
  /** What in the folder says so. */
  because: z.string(),
  port: z.number().int(),
  edits: z.array(snippet),
}) satisfies z.ZodType<Schemas["Proposal"]>;
/** What makes a service of a folder. */
export type Proposal = z.infer<typeof proposalSchema>;
