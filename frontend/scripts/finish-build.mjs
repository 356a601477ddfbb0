// Makes .next/standalone complete and reproducible after `next build`.
//
// Complete: the server serves the static files, but Next.js leaves them beside
// its output, for those who have a CDN.
//
// Reproducible: the same inputs give the same bytes in every folder and on
// every machine. What differs otherwise is the folder's own path, and keys that
// Next.js draws at random for features that this dashboard does not have: draft
// mode, on-demand revalidation and server actions. Should it get one of those,
// a fixed key would be a hole, so this fails instead.

import { createHash } from "node:crypto";
import { cpSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";

const project = dirname(dirname(fileURLToPath(import.meta.url)));
/** Stands for the folder that was built in. Nothing reads it at run time. */
const ANYWHERE = "/app";

const json = (file) => JSON.parse(readFileSync(file, "utf8"));

/** Every text file of Next.js's own output; dependencies are copied as they are. */
function* textFiles(folder) {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory() && entry.name !== "node_modules") {
      yield* textFiles(path);
    } else if (/\.(js|json|rsc|html|body|meta)$/.test(entry.name)) {
      yield path;
    }
  }
}

/** A key that is as long as Next.js's own, and the same for the same build. */
function fixedKey(name, like, buildId) {
  const digest = createHash("sha256").update(`${buildId}\0${name}`).digest();
  return like.endsWith("=")
    ? digest.toString("base64")
    : digest.toString("hex").slice(0, like.length);
}

/** What is replaced, by what. */
function replacements(server, root) {
  const buildId = readFileSync(join(server, "../BUILD_ID"), "utf8");
  const actions = json(join(server, "server-reference-manifest.json"));
  if (Object.keys({ ...actions.node, ...actions.edge }).length > 0) {
    throw new Error(
      "finishing the build: there are server actions now, whose key must be a secret\n" +
        "hint: give the build NEXT_SERVER_ACTIONS_ENCRYPTION_KEY and leave that key alone here",
    );
  }
  const keys = { ...json(join(server, "preview-props.json")), actions: actions.encryptionKey };
  return [
    [`"${project}"`, `"${join(ANYWHERE, relative(root, project))}"`],
    [`"${root}"`, `"${ANYWHERE}"`],
    ...Object.entries(keys).map(([name, key]) => [key, fixedKey(name, key, buildId)]),
  ];
}

const { outputFileTracingRoot: root } = json(
  join(project, ".next/required-server-files.json"),
).config;
const standalone = join(project, ".next/standalone", relative(root, project));
const pairs = replacements(join(standalone, ".next/server"), root);
for (const file of textFiles(standalone)) {
  const before = readFileSync(file, "utf8");
  const after = pairs.reduce((text, [from, to]) => text.replaceAll(from, to), before);
  if (after.includes(project)) {
    throw new Error(`finishing the build: "${file}" still names the folder that it was built in`);
  }
  if (after !== before) {
    writeFileSync(file, after);
  }
}
cpSync(join(project, ".next/static"), join(standalone, ".next/static"), { recursive: true });
