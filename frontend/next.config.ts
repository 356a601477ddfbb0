import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import type { NextConfig } from "next";
import { PHASE_DEVELOPMENT_SERVER } from "next/constants.js";

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

/** Everything comes from this origin; Next.js itself needs inline scripts and, in development, eval. */
function contentSecurityPolicy(development: boolean): string {
  return [
    "default-src 'self'",
    `script-src 'self' 'unsafe-inline'${development ? " 'unsafe-eval'" : ""}`,
    "style-src 'self' 'unsafe-inline'",
    "img-src 'self' data:",
    `connect-src 'self'${development ? " ws: wss:" : ""}`,
    "object-src 'none'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join("; ");
}

export default function config(phase: string): NextConfig {
  const root = dependencyRoot(process.cwd());
  const development = phase === PHASE_DEVELOPMENT_SERVER;
  return {
    output: "standalone",
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
    headers: async () => [
      {
        source: "/:path*",
        headers: [
          { key: "Content-Security-Policy", value: contentSecurityPolicy(development) },
          { key: "X-Content-Type-Options", value: "nosniff" },
          { key: "Referrer-Policy", value: "no-referrer" },
        ],
      },
    ],
  };
}
