// Completes package-lock.json with the optional platform packages that the
// registry did not serve while it was written.
//
// npm leaves a package that it cannot fetch out of the lock file, but `npm ci`
// (npm 11) asks for an entry for every optional dependency that a locked
// package declares, and fails with "Missing: <name>@ from lock file" where
// there is none, even for another operating system. The missing entries follow
// from what is locked: the version is the exact one that the parent pins, and
// os, cpu and libc stand in the package's name. npm skips them everywhere else.
// They carry no integrity, since nothing was downloaded; an `npm install` on
// the platform itself fills it in.
//
//   node scripts/lock-platforms.mjs          write the missing entries
//   node scripts/lock-platforms.mjs --check  exit 1 if there are any

import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const OS = new Set([
  "aix",
  "android",
  "darwin",
  "freebsd",
  "linux",
  "netbsd",
  "openbsd",
  "openharmony",
  "sunos",
  "win32",
]);
const CPU = new Set([
  "arm",
  "arm64",
  "ia32",
  "loong64",
  "mips64el",
  "ppc64",
  "riscv64",
  "s390x",
  "wasm32",
  "x64",
]);
const LIBC = { gnu: "glibc", gnueabihf: "glibc", musl: "musl" };
const EXACT = /^\d+\.\d+\.\d+(-[\w.]+)?$/;

/** The platform fields that a package's name spells out, or null where it names no platform. */
export function platformOf(name) {
  const words = name.split(/[/-]/);
  const cpu = words.find((word) => CPU.has(word));
  const os = words.find((word) => OS.has(word));
  const libc = words.map((word) => LIBC[word]).find(Boolean);
  if (!cpu || (!os && cpu !== "wasm32")) {
    return null;
  }
  return {
    cpu: [cpu],
    libc: os === "linux" && libc ? [libc] : undefined,
    os: os ? [os] : undefined,
  };
}

/** The lock's packages with an entry for every optional dependency, and the paths that were added. */
export function complete(packages) {
  const added = {};
  for (const [parentPath, parent] of Object.entries(packages)) {
    for (const [name, version] of Object.entries(parent.optionalDependencies ?? {})) {
      const path = `node_modules/${name}`;
      if (packages[path] || packages[`${parentPath}/${path}`] || added[path]) {
        continue;
      }
      const platform = platformOf(name);
      if (!platform || !EXACT.test(version)) {
        throw new Error(
          `completing the lock file: "${name}@${version}", which "${parentPath}" wants, is not locked and names no exact version and platform`,
        );
      }
      const { cpu, libc, os } = platform;
      // In the order in which npm writes the fields.
      added[path] = {
        version,
        cpu,
        ...(parent.dev && { dev: true }),
        ...(libc && { libc }),
        optional: true,
        ...(os && { os }),
      };
    }
  }
  const [root, ...rest] = Object.entries({ ...packages, ...added });
  rest.sort(([a], [b]) => a.localeCompare(b, "en"));
  return { packages: Object.fromEntries([root, ...rest]), added: Object.keys(added) };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const file = new URL("../package-lock.json", import.meta.url);
  const lock = JSON.parse(readFileSync(file, "utf8"));
  const { packages, added } = complete(lock.packages);
  if (added.length === 0) {
    process.exit(0);
  }
  if (process.argv.includes("--check")) {
    process.stderr.write(
      `package-lock.json lacks ${added.length} platform packages:\n  ${added.join("\n  ")}\nhint: npm run lock\n`,
    );
    process.exit(1);
  }
  writeFileSync(file, `${JSON.stringify({ ...lock, packages }, null, 2)}\n`);
  process.stdout.write(`package-lock.json: added ${added.length} platform packages\n`);
}
