/** Runs once where a server starts, before its first request is answered. */
export async function register(): Promise<void> {
  if (process.env.NEXT_RUNTIME === "nodejs") {
    const { gateServers } = await import("./lib/server-gate");
    gateServers();
  }
}
