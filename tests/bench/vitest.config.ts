import { defineConfig } from "vitest/config";

export default defineConfig({
  // A browser and seven servers have to start on a machine that may be busy with other tests.
  test: { include: ["test/**/*.test.ts"], testTimeout: 120_000, hookTimeout: 120_000 },
});
