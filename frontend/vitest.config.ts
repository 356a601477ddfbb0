import { defineConfig } from "vitest/config";

export default defineConfig({
  resolve: { alias: { "@": import.meta.dirname } },
  oxc: { jsx: { runtime: "automatic" } },
  test: {
    include: ["**/*.test.{ts,tsx}"],
    restoreMocks: true,
    // No test waits for time to pass: this is for machines that are busy, as is how long
    // lib/testing-waits.ts has Testing Library wait for what is to be shown.
    testTimeout: 30_000,
    setupFiles: ["lib/testing-waits.ts"],
  },
});
