import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import type { NextConfig } from "next";

/**
 * The folder that holds node_modules: this one on a host, its parent in a
 * container, where dependencies are a layer below the source. Turbopack looks
 * at nothing outside of its root, and would guess another one.
 */
function dependencyRoot(folder: string): string {
  if (existsSync(join(folder, "node_modules", "next", "package.json"))) {
    return folder;
  }
  const parent = dirname(folder);
  if (parent === folder) {
    throw new Error(`finding node_modules above "${process.cwd()}": next is not installed`);
  }
  return dependencyRoot(parent);
}

export default function config(): NextConfig {
  const root = dependencyRoot(process.cwd());
  return {
    output: "standalone",
    // The page of all components is none of the dashboard: `npm run gallery` has it.
    pageExtensions: process.env.GALLERY ? ["gallery.tsx", "tsx", "ts"] : ["tsx", "ts"],
    turbopack: { root },
    outputFileTracingRoot: root,
    // Images are served as they are, so the image optimiser's native library stays out of the output.
    images: { unoptimized: true },
    outputFileTracingExcludes: { "*": ["**/node_modules/sharp/**", "**/node_modules/@img/**"] },
    // The same inputs give the same output: a random id would change every image.
    generateBuildId: () => process.env.ZR_BUILD_HASH ?? "local",
    allowedDevOrigins: ["127.0.0.1"],
    devIndicators: false,
    poweredByHeader: false,
    reactStrictMode: true,
    // Pages of a cache that holds only other routes were loaded anew for ever by its updates.
    experimental: { turbopackFileSystemCacheForDev: false },
    headers: async () => [
      {
        source: "/:path*",
        headers: [
          { key: "X-Content-Type-Options", value: "nosniff" },
          { key: "Referrer-Policy", value: "no-referrer" },
        ],
      },
    ],
  };
}
