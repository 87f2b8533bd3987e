import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));
const glue = here("./wasm/everwire.js");

export default defineConfig({
  resolve: {
    alias: {
      // Most tests script the core; those that need the real one say so when it has not been built.
      "everwire:glue": existsSync(glue) ? glue : here("./test/no-glue.ts"),
      "everwire:wasm": here("./test/no-wasm.ts"),
    },
  },
  test: { include: ["test/**/*.test.ts", "test/**/*.test.tsx"] },
});
