import { expect, test } from "vitest";
import { MAX_CURSOR, SERVICE_NAME } from "@/lib/address";
import { ENVIRONMENT } from "@/lib/environment";
import {
  healthScreenPath,
  historyScreenPath,
  reloadsScreenPath,
  servicePath,
  setupScreenPath,
} from "@/lib/screens";
import { windows } from "@/lib/stack/uptime";
import { randomOf } from "@/lib/testing";
import { withQuery } from "@/lib/with-query";
import * as services from "./(services)/search-params";
import { outcomes } from "./activity/schema";
import * as activity from "./activity/search-params";
import * as configuration from "./configuration/search-params";
import * as history from "./history/part";
import * as reloads from "./reloads/part";
import * as setup from "./setup/search-params";
import * as uptime from "./uptime/part";

const LETTERS = [..."abz09.-"];
const CHARACTERS = [..."ab9 =&#+%?/\\\"'<>,.[](){}|^$*é漢😀\u202e"];
const RUNS = 1_000;

/** Makes parts of addresses. */
class Maker {
  constructor(private readonly random: () => number) {}

  pick<T>(of: readonly T[]): T {
    return of[Math.floor(this.random() * of.length)] as T;
  }

  text(of: readonly string[], most = 12): string {
    return Array.from({ length: 1 + Math.floor(this.random() * most) }, () => this.pick(of)).join(
      "",
    );
  }

  number(): number {
    return 1 + Math.floor(this.random() * 1_000_000);
  }

  /** What may stand in an address that somebody wrote by hand, or cut off. */
  garbage(): string | string[] {
    const known = ["graph", "text", "revisions", "secrets", "7d", "true", "done", "12", "0012"];
    return this.pick([
      this.text(CHARACTERS),
      this.text(CHARACTERS, 600),
      this.pick(known),
      String(this.number() - 500_000),
      `${this.number()}${this.text(CHARACTERS)}`,
      "9".repeat(30),
      "",
      [this.pick(known), this.pick(known)],
    ]);
  }

  maybe<T>(make: () => T): T | undefined {
    return this.random() < 0.5 ? make() : undefined;
  }
}

/** Every parameter that some screen reads. */
const NAMES = [
  ...["service", "view", "window", "failed", "cursor", "event", "folder"],
  ...["actor", "action", "target", "outcome", "tab", "revision", "against"],
];

type Query = Record<string, string | string[] | undefined>;

/** An address as a page is given it. */
function queryOf(path: string): Query {
  return Object.fromEntries(new URL(path, "http://localhost").searchParams);
}

/** The states of each screen, how they are written, and how they are read again. */
const screens: Record<
  string,
  { make: (m: Maker) => unknown; write: (state: never) => string; read: (query: Query) => unknown }
> = {
  services: {
    make: (m) =>
      m.pick([{ view: "table" }, { view: "graph" }, { view: "graph", service: m.text(LETTERS) }]),
    write: services.statePath,
    read: (query) => services.parseState(new URLSearchParams(query as Record<string, string>)),
  },
  history: {
    make: (m) => ({
      limit: 50,
      service: m.maybe(() => m.text(LETTERS)),
      cursor: m.maybe(() => m.text(CHARACTERS)),
    }),
    write: historyScreenPath,
    read: history.partOf,
  },
  uptime: {
    make: (m) => ({ window: m.pick(windows), service: m.maybe(() => m.text(LETTERS)) }),
    write: healthScreenPath,
    read: uptime.partOf,
  },
  activity: {
    make: (m) => ({
      actor: m.maybe(() => m.text(CHARACTERS.filter((c) => c <= "~"))),
      action: m.maybe(() => m.text([..."aZ"])),
      target: m.maybe(() => m.text(CHARACTERS.filter((c) => c <= "~"))),
      outcome: m.maybe(() => m.pick(outcomes)),
      cursor: m.maybe(() => m.text(CHARACTERS)),
    }),
    write: activity.placeOf,
    read: activity.partOf,
  },
  reloads: {
    make: (m) => ({
      window: m.pick(windows),
      service: m.maybe(() => m.text(LETTERS)),
      failed: m.pick([true, false]),
      cursor: m.maybe(() => m.text(CHARACTERS)),
      event: m.maybe(() => m.number()),
    }),
    write: ({ event, ...part }: reloads.ReloadsPart & { event?: number }) =>
      reloadsScreenPath({ ...part, event: event?.toString() }),
    read: (query) => ({ ...reloads.partOf(query), event: reloads.eventIn(query) }),
  },
  configuration: {
    make: (m) => {
      const revision = m.maybe(() => m.number());
      return {
        tab: m.pick(configuration.tabs),
        view: m.pick(configuration.views),
        revision,
        against: revision && m.maybe(() => revision + m.number()),
        cursor: m.maybe(() => m.text(CHARACTERS)),
      };
    },
    write: configuration.placeOf,
    read: configuration.partOf,
  },
  setup: {
    make: (m) => ({ folder: m.maybe(() => m.text(CHARACTERS, setup.MAX_FOLDER / 2)) ?? "" }),
    write: setupScreenPath,
    read: (query) => ({ folder: setup.folderIn(query) }),
  },
};

for (const [name, { make, write, read }] of Object.entries(screens)) {
  test(`every state of ${name} is an address that means it`, () => {
    const maker = new Maker(randomOf(1));
    for (let i = 0; i < RUNS; i++) {
      const state = make(maker) as never;
      const path = write(state);
      expect(read(queryOf(path)), path).toEqual(state);
    }
  });

  test(`an address of anything means some state of ${name}`, () => {
    const maker = new Maker(randomOf(2));
    for (let i = 0; i < RUNS; i++) {
      const query: Query = {};
      for (let n = 0; n < 6; n++) {
        query[maker.pick(NAMES)] = maker.garbage();
      }
      const state = read(query) as { service?: string; cursor?: string };
      expect(state.service ?? "a", JSON.stringify(query)).toMatch(SERVICE_NAME);
      expect((state.cursor ?? "").length, JSON.stringify(query)).toBeLessThanOrEqual(MAX_CURSOR);
      expect(read(queryOf(write(state as never))), JSON.stringify(query)).toEqual(state);
    }
  });
}

test("every service has a page, which its address names", () => {
  const maker = new Maker(randomOf(3));
  for (let i = 0; i < RUNS; i++) {
    const service = `a${maker.text(LETTERS, 40)}0`; // as Kubernetes takes it
    const { pathname } = new URL(servicePath(service), "http://localhost");
    expect(decodeURIComponent(pathname)).toBe(`/services/${service}`);
  }
});

test("every address keeps the environment, and takes nothing else for one", () => {
  const maker = new Maker(randomOf(4));
  for (let i = 0; i < RUNS; i++) {
    const environment = maker.text([..."ab0-"]);
    const path = withQuery(historyScreenPath({ service: maker.text(LETTERS) }), { environment });
    expect(history.partOf(queryOf(path)).environment).toBe(environment);
    const other = maker.text(CHARACTERS);
    expect(history.partOf({ environment: other }).environment).toBe(
      ENVIRONMENT.test(other) ? other : undefined,
    );
  }
});
