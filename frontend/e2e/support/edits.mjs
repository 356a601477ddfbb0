// Edits of the dashboard's source as a person makes them, each with what the
// page must show afterwards.

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** Where the source says what is edited, and how the page shows it: as a text, or as a custom property. */
const kinds = {
  /** The component that holds the state which must be kept. */
  client: {
    file: "app/(services)/client.tsx",
    find: '"Services"',
    edit: (n) => ({
      source: `"Services ${n}."`,
      shown: { selector: "h2", text: `Services ${n}.` },
    }),
  },
  /** A component that only the server renders. */
  server: {
    file: "components/footer.tsx",
    find: "<span>Dashboard {version}</span>",
    edit: (n) => ({
      source: `<span>Dashboard ${n}. {version}</span>`,
      shown: { selector: "[data-testid=footer]", text: `Dashboard ${n}.` },
    }),
  },
  css: {
    file: "app/globals.css",
    find: "--canvas: #f7f7f5;",
    edit: (n) => {
      const color = `#f7${n.toString(16).padStart(4, "0")}`;
      return { source: `--canvas: ${color};`, shown: { property: "--canvas", text: color } };
    },
  },
};

export const kindNames = Object.keys(kinds);

/** The edits of one kind in one copy of the source. */
export class Edits {
  #path;
  #original;
  #kind;

  constructor(dir, kind) {
    this.#kind = kinds[kind];
    this.#path = join(dir, this.#kind.file);
    this.#original = readFileSync(this.#path, "utf8");
    if (!this.#original.includes(this.#kind.find)) {
      throw new Error(`editing "${this.#path}": it does not say ${this.#kind.find}`);
    }
  }

  /** What the page shows after edit number n. */
  shown(n) {
    return this.#kind.edit(n).shown;
  }

  /** Saves edit number n, in place as most editors do, and returns when it began (milliseconds since the epoch). */
  save(n) {
    const text = this.#original.replace(this.#kind.find, this.#kind.edit(n).source);
    const began = Date.now();
    writeFileSync(this.#path, text);
    return began;
  }

  restore() {
    if (readFileSync(this.#path, "utf8") !== this.#original) {
      writeFileSync(this.#path, this.#original);
    }
  }
}
