// What a test does to a stack that runs, other than by its dashboard.
//
//   KUBECTL  kubectl on its cluster, as words between spaces; it has a standard input
//   ZR       zr on its project, the same

import { execFile } from "node:child_process";
import { promisify } from "node:util";

const run = promisify(execFile);

/** Runs kubectl, and returns what it said. */
export const kubectl = (...args) => runs(process.env.KUBECTL, args);

/** Makes an object of Kubernetes. */
export const create = (object) =>
  runs(process.env.KUBECTL, ["create", "-f", "-"], JSON.stringify(object));

/** Runs zr, and returns what it said. */
export const zr = (...args) => runs(process.env.ZR, args);

async function runs(command, args, input = "") {
  const [program, ...first] = command.split(" ");
  const running = run(program, [...first, ...args], { maxBuffer: 16 << 20 });
  running.child.stdin.end(input);
  const { stdout } = await running;
  return stdout.trim();
}
