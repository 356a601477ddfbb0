// The dashboard's server on a free port of this machine.

import { spawn } from "node:child_process";
import { createRequire } from "node:module";
import { createServer } from "node:net";
import { fileURLToPath } from "node:url";

const project = fileURLToPath(new URL("../..", import.meta.url));
const READY_TIMEOUT_MS = 60_000;

/** Starts `next dev`, and waits until it answers /health. */
export function startNextDev({ env = {} } = {}) {
  const next = createRequire(new URL("../../package.json", import.meta.url)).resolve(
    "next/dist/bin/next",
  );
  return serve([next, "dev"], env);
}

/** Starts what `next build` made, as the image does, and waits until it answers /health. */
export function startNext({ env = {} } = {}) {
  return serve([".next/standalone/server.js"], env);
}

async function serve(command, env) {
  const port = await freePort();
  const output = [];
  const child = spawn(process.execPath, command, {
    cwd: project,
    env: { ...process.env, NEXT_TELEMETRY_DISABLED: "1", PORT: String(port), ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  child.stdout.on("data", (chunk) => output.push(chunk));
  child.stderr.on("data", (chunk) => output.push(chunk));
  const ended = new Promise((resolve) => child.once("exit", resolve));
  const url = `http://localhost:${port}`;
  const said = () => Buffer.concat(output).toString();
  try {
    await Promise.race([
      answers(`${url}/health`),
      ended.then((code) => {
        throw new Error(`it ended with ${code}`);
      }),
    ]);
  } catch (error) {
    child.kill();
    throw new Error(`starting node ${command.join(" ")}: ${error.message}: ${said()}`);
  }
  return {
    url,
    stop: async () => {
      child.kill();
      await ended;
    },
  };
}

async function answers(url) {
  const deadline = Date.now() + READY_TIMEOUT_MS;
  for (;;) {
    try {
      const response = await fetch(url);
      if (response.ok) {
        return;
      }
    } catch {
      // Not listening yet.
    }
    if (Date.now() > deadline) {
      throw new Error(`no answer from ${url} within ${READY_TIMEOUT_MS} ms`);
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}
