import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

export default defineConfig({
  resolve: {
    alias: {
      // Unit tests script the core. The real one needs a browser, and is tested there.
      "everwire:glue": here("./test/no-glue.ts"),
      "everwire:wasm": here("./test/no-wasm.ts"),
    },
  },
  test: { include: ["test/**/*.test.ts"] },
});
