import { createServer, type IncomingMessage, type RequestListener } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { onTestFinished, vi } from "vitest";

/** Runs a real api for one test, at API_URL; what it does with WebSockets is up to the test. */
export async function serveAPI(
  listener: RequestListener,
  onUpgrade?: (request: IncomingMessage, socket: Socket) => void,
): Promise<string> {
  const server = createServer(listener);
  if (onUpgrade) {
    server.on("upgrade", onUpgrade);
  }
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
    vi.unstubAllEnvs();
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  vi.stubEnv("API_URL", url);
  return url;
}

/** Points API_URL at a port where nothing listens any more. */
export async function serveNothing(): Promise<string> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  await new Promise((resolve) => server.close(resolve));
  vi.stubEnv("API_URL", url);
  onTestFinished(() => {
    vi.unstubAllEnvs();
  });
  return url;
}

/** Numbers from 0 to 1 that look random and are the same each time (mulberry32). */
export function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}
