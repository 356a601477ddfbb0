import { expect, test } from "vitest";
import lock from "../package-lock.json";
import { complete, platformOf } from "./lock-platforms.mjs";

test.each([
  ["@next/swc-darwin-arm64", { cpu: ["arm64"], os: ["darwin"] }],
  ["@next/swc-linux-x64-musl", { cpu: ["x64"], libc: ["musl"], os: ["linux"] }],
  ["@next/swc-linux-x64-gnu", { cpu: ["x64"], libc: ["glibc"], os: ["linux"] }],
  ["@next/swc-win32-x64-msvc", { cpu: ["x64"], os: ["win32"] }],
  ["@tailwindcss/oxide-linux-arm-gnueabihf", { cpu: ["arm"], libc: ["glibc"], os: ["linux"] }],
  ["@tailwindcss/oxide-wasm32-wasi", { cpu: ["wasm32"] }],
  ["fsevents", null],
])("%s names its platform", (name, platform) => {
  expect(platformOf(name)).toEqual(platform);
});

test("an entry is added for what a locked package wants and the lock file lacks", () => {
  const { packages, added } = complete({
    "": {},
    "node_modules/b": {
      optionalDependencies: { "b-linux-x64": "1.0.0", "b-darwin-x64": "1.0.0" },
      dev: true,
    },
    "node_modules/b-linux-x64": { version: "1.0.0" },
  });
  expect(added).toEqual(["node_modules/b-darwin-x64"]);
  expect(packages["node_modules/b-darwin-x64"]).toEqual({
    version: "1.0.0",
    cpu: ["x64"],
    dev: true,
    optional: true,
    os: ["darwin"],
  });
});

test("what cannot be derived is refused by name", () => {
  expect(() =>
    complete({ "node_modules/b": { optionalDependencies: { "b-native": "^1.0.0" } } }),
  ).toThrow('"b-native@^1.0.0", which "node_modules/b" wants');
});

test("the committed lock file is complete and names no registry", () => {
  expect(complete(lock.packages).added).toEqual([]);
  expect(JSON.stringify(lock)).not.toContain('"resolved"');
});
