// How the tests run: two files at a time, because two cores are what a small machine has; no retries, because a test that
// passes at the second try has found a race. The limits are for a slow and busy machine: tests wait for conditions.

import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["**/*.test.ts"],
    exclude: ["node_modules", "output", "sim", "bench", "fuzz"],
    globalSetup: ["harness/global.ts"],
    pool: "forks",
    maxWorkers: 2,
    retry: 0,
    testTimeout: 180_000,
    hookTimeout: 60_000,
    teardownTimeout: 20_000,
  },
});
