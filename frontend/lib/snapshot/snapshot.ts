import type { z } from "zod";
import { shownText } from "@/lib/inert-text";
import { failed, type Outcome, type Problem } from "@/lib/problem";
import { type SnapshotFile, VERSION } from "./format";

/** What a file has of an environment at one time. It asks nobody, and never changes. */
export class Snapshot {
  /** When it was taken, in milliseconds since the epoch. */
  readonly takenAt: number;
  private readonly answers: Map<string, unknown>;
  private readonly missing: Map<string, Problem>;
  private readonly read = new Map<string, Outcome<unknown>>();

  constructor(readonly file: SnapshotFile) {
    this.takenAt = Date.parse(file.takenAt);
    this.answers = new Map(Object.entries(file.answers));
    this.missing = new Map(
      file.missing.map(({ path, code, message }) => [path, { code, message: shownText(message) }]),
    );
  }

  /** What the api had answered to a path, or why that is not known. */
  outcome<T>(path: string, schema: z.ZodType<T>): Outcome<T> {
    const known = this.read.get(path) ?? this.decoded(path, schema);
    this.read.set(path, known);
    return known as Outcome<T>;
  }

  private decoded<T>(path: string, schema: z.ZodType<T>): Outcome<T> {
    const answer = this.answers.get(path);
    if (answer === undefined) {
      const problem = this.missing.get(path);
      return problem
        ? { ok: false, problem }
        : failed("not_in_snapshot", `It has no answer to ${shownText(path)}.`);
    }
    const parsed = schema.safeParse(answer);
    return parsed.success
      ? { ok: true, data: parsed.data }
      : failed(
          "not_in_snapshot",
          `What it has of ${shownText(path)} is nothing that version ${VERSION} of these files has.`,
        );
  }
}
