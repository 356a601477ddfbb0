// How much JavaScript each screen of a build (`next build`) loads, compressed,
// beyond what Next.js and React load on every page, and whether that is within
// the budget. The screens but the first are charged for what they add to it.
//
//   node scripts/budget.mjs    prints a line for each screen; exit 1 beyond the budget

import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

const KB = 1_000;
const FIRST_BUDGET = 150 * KB;
const FURTHER_BUDGET = 80 * KB;
const FIRST = "/(services)/page";

const build = fileURLToPath(new URL("../.next/", import.meta.url));
const app = `${build}server/app/`;
const MANIFEST = "page_client-reference-manifest.js";

/** The scripts of a screen: those of its page, and of the layouts around it. */
function scriptsOf(path) {
  const assigned = readFileSync(`${app}${path}`, "utf8");
  const manifest = JSON.parse(assigned.slice(assigned.indexOf("] = ") + 4).replace(/;\s*$/, ""));
  return new Set(Object.values(manifest.entryJSFiles).flat());
}

function compressed(file) {
  return gzipSync(readFileSync(build + file), { level: 6 }).length;
}

const framework = new Set(
  JSON.parse(readFileSync(`${build}build-manifest.json`, "utf8")).rootMainFiles,
);
const screens = readdirSync(app, { recursive: true })
  .filter((path) => path.endsWith(MANIFEST) && !path.startsWith("_"))
  .map((path) => ({ name: `/${path.replace(`_client-reference-manifest.js`, "")}`, path }))
  .sort(
    (a, b) => Number(b.name === FIRST) - Number(a.name === FIRST) || a.name.localeCompare(b.name),
  );

const loaded = new Set(framework);
let beyond = false;
for (const { name, path } of screens) {
  const own = [...scriptsOf(path)].filter((file) => !loaded.has(file));
  const size = own.reduce((sum, file) => sum + compressed(file), 0);
  const budget = name === FIRST ? FIRST_BUDGET : FURTHER_BUDGET;
  beyond ||= size > budget;
  console.log(
    `${name.padEnd(24)} ${(size / KB).toFixed(1).padStart(6)} KB of ${budget / KB}${size > budget ? "  BEYOND" : ""}`,
  );
  if (name === FIRST) {
    for (const file of own) {
      loaded.add(file);
    }
  }
}
process.exitCode = beyond ? 1 : 0;
