import { z } from "zod";
import type { Schemas } from "@/lib/api/types";
import { inertText } from "@/lib/inert-text";

const names = z.array(inertText);
const time = z.iso.datetime({ offset: true });

/** All settings of an environment, and who reads each. */
export const settingsSchema: z.ZodType<Schemas["Settings"]> = z.object({
  text: z.string(),
  settings: z.array(z.object({ key: z.string(), value: z.string(), usedBy: names })),
  source: inertText,
  revision: z.number().int().optional(),
  behind: names,
  etag: z.string().min(1),
});
export type Settings = z.infer<typeof settingsSchema>;

/** The part of the JSON Schema of the settings that is shown. */
export const settingsShapeSchema = z.object({
  description: z.string().default(""),
  additionalProperties: z.object({ type: names }),
});
export type SettingsShape = z.infer<typeof settingsShapeSchema>;

const changeSchema: z.ZodType<Schemas["KeyChange"]> = z.object({
  key: z.string(),
  old: z.string().optional(),
  new: z.string().optional(),
});
/** A setting that differs: without the old value it is new, without the new one it goes. */
export type KeyChange = z.infer<typeof changeSchema>;

const plan = { changes: z.array(changeSchema), rolls: names, later: names };

export const previewSchema: z.ZodType<Schemas["SettingsPreview"]> = z.object({
  ...plan,
  text: z.string(),
  settings: z.array(z.object({ key: z.string(), value: z.string() })),
  etag: z.string().min(1),
});
export type Preview = z.infer<typeof previewSchema>;

export const writtenSchema: z.ZodType<Schemas["SettingsWritten"]> = z.object({
  ...plan,
  revision: z.number().int(),
  file: z.string().optional(),
  etag: z.string(),
});
export type Written = z.infer<typeof writtenSchema>;

const revision = {
  revision: z.number().int(),
  at: time,
  author: inertText,
  reason: inertText,
  restores: z.number().int().optional(),
  outcome: z.enum(["written", "begun"]),
  file: z.string().optional(),
};
const revisionSchema: z.ZodType<Schemas["SettingsRevision"]> = z.object(revision);
export type Revision = z.infer<typeof revisionSchema>;

export const revisionsSchema: z.ZodType<Schemas["SettingsRevisions"]> = z.object({
  revisions: z.array(revisionSchema),
  next: z.string().optional(),
});
export type Revisions = z.infer<typeof revisionsSchema>;

export const wholeRevisionSchema: z.ZodType<Schemas["WholeRevision"]> = z.object({
  ...revision,
  text: z.string(),
  changes: z.array(changeSchema),
});

const secretSchema: z.ZodType<Schemas["Secret"]> = z.object({
  name: z.string(),
  createdAt: time.optional(),
  changedAt: time.optional(),
  source: inertText.optional(),
  settable: z.boolean(),
  keys: z.array(z.object({ name: z.string(), usedBy: names })),
});
export type Secret = z.infer<typeof secretSchema>;

export const secretsSchema: z.ZodType<Schemas["Secrets"]> = z.object({
  secrets: z.array(secretSchema),
});

export const secretSetSchema: z.ZodType<Schemas["SecretSet"]> = z.object({
  rolls: names,
  later: names,
});
export type SecretSet = z.infer<typeof secretSetSchema>;
