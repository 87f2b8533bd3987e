// The configuration of the end-to-end tests: two files in parallel, for machines with two cores; no retries, because a test that
// passes at the second attempt has found a race. The timeouts are for slow and busy machines: tests wait for conditions.

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
