import type { Line } from "@/app/logs/schema";
import { needsSession } from "@/lib/allow-list";
import { serverClock } from "@/lib/clock";
import type { AttachedRuns } from "@/lib/dev/schema";
import { fetchJSON } from "@/lib/fetch-json";
import { failed, type Outcome, type Problem } from "@/lib/problem";
import { type Choice, KIND, MOST_BYTES, type SnapshotFile, VERSION } from "@/lib/snapshot/format";
import type { Services } from "@/lib/stack/schema";
import { withQuery } from "@/lib/with-query";
import { version } from "@/package.json";
import {
  attachedPart,
  commonParts,
  findingsParts,
  LINES_PATH,
  linesPart,
  MOST_LINES,
  type Part,
  partsOf,
  servicesPart,
} from "./parts";

/** How many questions are under way at once, and how many begin in a second: half of what the api takes of a caller. */
const AT_ONCE = 4;
const IN_A_SECOND = 100;

export interface Saving {
  environment: string | undefined;
  loggedIn: boolean;
  chosen: readonly Choice[];
  signal: AbortSignal;
  /** Told how many questions have been answered, of those that are known by then. */
  onProgress?: (answered: number, of: number) => void;
}

/** Asks for all that the screens show. It throws the Problem for which nothing was answered, or what ended it. */
export async function takeSnapshot(saving: Saving): Promise<SnapshotFile> {
  return new Taking(saving).take();
}

/** How much the answers may have together, in bytes: what is written around them has room. */
const MOST_OF_ANSWERS = 0.9 * MOST_BYTES;

const tooLarge: Problem = {
  code: "not_in_snapshot",
  message: `With it the file would be larger than ${MOST_BYTES / 1e6} MB.`,
};

function bytesOf(answer: unknown): number {
  return new Blob([JSON.stringify(answer)]).size + 1;
}

class Taking {
  private readonly answers: SnapshotFile["answers"] = {};
  private readonly missing: SnapshotFile["missing"] = [];
  private bytes = 0;
  private answered = 0;
  private known = 0;
  private begun = 0;
  private second = Promise.resolve();

  constructor(private readonly saving: Saving) {}

  async take(): Promise<SnapshotFile> {
    const { chosen } = this.saving;
    await this.all([servicesPart, attachedPart]);
    const services = this.answers[servicesPart.path] as Services | undefined;
    const attached = this.answers[attachedPart.path] as AttachedRuns | undefined;
    await this.all([
      ...commonParts(),
      ...findingsParts(attached ?? { attached: [] }),
      ...(services?.services ?? []).flatMap(partsOf),
    ]);
    if (chosen.includes("lines")) {
      await this.lines();
    }
    const [first] = this.missing;
    if (Object.keys(this.answers).length === 0 && first) {
      throw { code: first.code, message: first.message } satisfies Problem;
    }
    return {
      kind: KIND,
      version: VERSION,
      takenAt: new Date(serverClock.now()).toISOString(),
      environment: services?.namespace ?? this.saving.environment ?? "",
      zr: version,
      with: [...chosen],
      answers: this.answers,
      missing: this.missing,
    };
  }

  /** Asks for parts, some at once; each is answered or missing afterwards. */
  private async all(parts: Part[]): Promise<void> {
    this.known += parts.length;
    const open = [...parts];
    const work = async () => {
      for (let part = open.shift(); part; part = open.shift()) {
        await this.one(part);
        this.answered++;
        this.saving.onProgress?.(this.answered, this.known);
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, work));
  }

  private async one(part: Part): Promise<void> {
    let cursor: string | undefined;
    for (let page = 0; page < (part.pages ?? 1); page++) {
      const path = withQuery(part.path, { cursor });
      const outcome = await this.ask({ ...part, path });
      if (!outcome.ok) {
        this.miss(part.what, path, outcome.problem);
        return;
      }
      const { keep } = part;
      this.put(
        part.what,
        path,
        keep ? keep(outcome.data as never, this.saving.chosen) : outcome.data,
      );
      cursor = (outcome.data as { next?: string }).next;
      if (!cursor) {
        return;
      }
    }
  }

  private async ask({ path, schema, ofAll, forSessions }: Part): Promise<Outcome<unknown>> {
    const { environment, loggedIn, signal } = this.saving;
    // The api records each refusal: who has no session need not ask.
    if (!loggedIn && (forSessions || needsSession(path.replace(/\?.*/, "")))) {
      return failed("not_logged_in", "this browser has no session of the api");
    }
    await this.turn();
    signal.throwIfAborted();
    const asked = ofAll ? path : withQuery(path, { environment });
    try {
      return { ok: true, data: await fetchJSON(asked, schema, signal) };
    } catch (problem) {
      signal.throwIfAborted();
      return { ok: false, problem: problem as Problem };
    }
  }

  /** Waits for the next second, where as many as may have begun in this one. */
  private turn(): Promise<void> {
    if (this.begun++ % IN_A_SECOND === IN_A_SECOND - 1) {
      this.second = this.second.then(() => new Promise((done) => setTimeout(done, 1_000)));
    }
    return this.second;
  }

  /** The newest lines, kept as one answer. */
  private async lines(): Promise<void> {
    const lines: Line[] = [];
    let answered = false;
    let cursor: string | undefined;
    do {
      const outcome = await this.ask({ ...linesPart, path: withQuery(linesPart.path, { cursor }) });
      if (!outcome.ok) {
        this.miss(linesPart.what, LINES_PATH, outcome.problem);
        break;
      }
      const page = outcome.data as { lines: Line[]; next?: string };
      lines.push(...page.lines);
      cursor = page.next;
      answered = true;
    } while (cursor && lines.length < MOST_LINES);
    if (answered) {
      this.answers[LINES_PATH] = { lines: this.fitting(lines), complete: !cursor };
    }
  }

  /** As many of the newest lines as are saved, and have room. */
  private fitting(lines: Line[]): Line[] {
    let bytes = this.bytes;
    const newest = lines.slice(0, MOST_LINES);
    const over = newest.findIndex((line) => {
      bytes += bytesOf(line);
      return bytes > MOST_OF_ANSWERS;
    });
    if (over < 0) {
      return newest;
    }
    this.miss("older log lines", LINES_PATH, tooLarge);
    return newest.slice(0, over);
  }

  /** Keeps an answer, as long as the file is one that can be opened. */
  private put(what: string, path: string, answer: unknown): void {
    const bytes = bytesOf(answer);
    if (this.bytes + bytes > MOST_OF_ANSWERS) {
      this.miss(what, path, tooLarge);
      return;
    }
    this.bytes += bytes;
    this.answers[path] = answer;
  }

  private miss(what: string, path: string, { code, message }: Problem): void {
    this.missing.push({ what, path, code, message });
  }
}
