// The page of all components in a development build, over an api of which all is well.

import { startNextDev } from "./next-server.mjs";
import { attachedRun } from "./run-events.mjs";
import { healthyStack, SESSION, startUpstream } from "./upstream.mjs";

/** Starts it, and returns where it is and what stops it. */
export async function startGallery() {
  const upstream = await startUpstream({
    services: healthyStack(),
    environments: { dev: healthyStack(), "pr-1": healthyStack() },
    attached: [attachedRun()],
    lines: [],
  });
  const server = await startNextDev({ env: { API_URL: upstream.url, GALLERY: "1" } });
  return {
    origin: server.url,
    url: `${server.url}/gallery`,
    session: { name: "zr_session", value: SESSION, url: server.url },
    stop: async () => {
      await server.stop();
      await upstream.stop();
    },
  };
}
