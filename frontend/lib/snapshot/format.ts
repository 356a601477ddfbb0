import { z } from "zod";
import { inert } from "@/lib/inert";
import { shownText } from "@/lib/inert-text";
import { problemCodes } from "@/lib/problem";

/** What a file of this kind begins with. */
export const KIND = "zr-snapshot";

/** Files of a later version hold what this dashboard would show wrongly. */
export const VERSION = 1;

/** The largest file that is read, in bytes: one with 300 services has some 20 MB. */
export const MOST_BYTES = 50_000_000;

/** The longest list in a file: as many as a screen shows without a stall. The longest that is saved are the log lines. */
export const LONGEST = 2_000;

/** The most fields of an object: the answers of 1,000 services. */
const MOST_FIELDS = 20_000;

/** What is left out unless somebody asks for it. */
export const choices = ["values", "lines"] as const;
/** Values of variables and settings; log lines, and what zr quoted of them. */
export type Choice = (typeof choices)[number];

const head = z.object({ kind: z.literal(KIND), version: z.number().int().positive() });

export const fileSchema = z.object({
  ...head.shape,
  version: z.literal(VERSION),
  takenAt: z.iso.datetime(),
  environment: z.string().max(253),
  /** The version of the dashboard that made it. */
  zr: z.string().max(100),
  with: z.array(z.enum(choices)),
  /** What the api said, by its path without the environment. */
  answers: z.record(z.string(), z.unknown()),
  /** What could not be asked, and why. */
  missing: z.array(
    z.object({
      what: z.string(),
      path: z.string(),
      code: z.enum(problemCodes),
      message: z.string(),
    }),
  ),
});
export type SnapshotFile = z.infer<typeof fileSchema>;

/** Why a file is not shown, in words for who chose it. */
export class NoSnapshot extends Error {}

/**
 * Reads a file of whoever wrote it. Nothing of it can do anything afterwards:
 * every text is as it is shown, and every list has an end. It throws NoSnapshot.
 */
export function readFile(text: string): SnapshotFile {
  const content = parsed(text);
  const { success, data } = head.safeParse(content);
  if (!success) {
    throw new NoSnapshot("This is no snapshot that zr has saved.");
  }
  if (data.version > VERSION) {
    throw new NoSnapshot(
      `A newer zr has saved it: it is of version ${data.version}, and this dashboard knows ${VERSION}. Open it in a dashboard of the version that saved it, or bring this one up to date.`,
    );
  }
  const file = fileSchema.safeParse(tamed(content));
  if (!file.success) {
    const [first] = file.error.issues;
    throw new NoSnapshot(
      `It is damaged: what stands at “${shownText(first?.path.join(".") ?? "")}” is not what zr writes there.`,
    );
  }
  return file.data;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new NoSnapshot("This is no snapshot that zr has saved: it is not in JSON.");
  }
}

/** The text of a file: a line for each answer, so that people and grep find their way. */
export function writeFile({ answers, missing, ...rest }: SnapshotFile): string {
  const lines = Object.entries(answers).map(
    ([path, answer]) => `  ${JSON.stringify(path)}: ${JSON.stringify(answer)}`,
  );
  const begin = JSON.stringify({ ...rest, missing }).slice(0, -1);
  return `${begin},"answers":{\n${lines.join(",\n")}\n}}\n`;
}

/** The name of a file, which every system takes. */
export function fileName({ environment, takenAt }: SnapshotFile): string {
  const name = environment.replaceAll(/[^a-z0-9-]/gi, "-") || "unknown";
  return `zr-${name}-${takenAt.slice(0, 19).replaceAll(":", "-")}Z.json`;
}

/** How deep lists and objects may stand in each other: those of the api do nine times. */
const DEEPEST = 30;

/** The longest message of a line, in UTF-16 units: the api keeps 64 KiB of one. */
const LONGEST_MESSAGE = 65_536;

/** What was written by a stranger, with every text as something that does nothing. */
function tamed(value: unknown, depth = 0, key = ""): unknown {
  if (typeof value === "string") {
    // The message of a line is cut where it is shown: all of it can be seen there.
    return key === "message" ? inert(value.slice(0, LONGEST_MESSAGE)) : shownText(value);
  }
  if (typeof value !== "object" || value === null) {
    return value;
  }
  if (depth > DEEPEST) {
    throw new NoSnapshot("It is damaged: lists stand in lists without an end.");
  }
  if (Array.isArray(value)) {
    // What is missing is the one list that no screen shows whole, and may be each answer.
    const most = depth === 1 ? MOST_FIELDS : LONGEST;
    if (value.length > most) {
      throw new NoSnapshot(
        `It has a list of ${value.length.toLocaleString("en")} entries, and zr writes ${most.toLocaleString("en")} at most.`,
      );
    }
    return value.map((each) => tamed(each, depth + 1));
  }
  const entries = Object.entries(value);
  if (entries.length > MOST_FIELDS) {
    throw new NoSnapshot(
      `It has an object of ${entries.length.toLocaleString("en")} fields, and zr writes ${MOST_FIELDS.toLocaleString("en")} at most.`,
    );
  }
  return Object.fromEntries(
    entries.map(([name, each]) => [shownText(name), tamed(each, depth + 1, name)]),
  );
}
