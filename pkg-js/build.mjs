// Builds dist/ from src/ and wasm/: JavaScript with the entries as chunks of one build, so that what they share exists
// once in an application; declarations; the WebAssembly file. It does not build the WebAssembly: `cargo xtask pkg` does.

import { execFileSync } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const root = dirname(fileURLToPath(import.meta.url));
const glue = join(root, "wasm/everwire.js");
const wasm = join(root, "wasm/everwire_bg.wasm");
const dist = join(root, "dist");

if (!existsSync(glue) || !existsSync(wasm)) {
  console.error("pkg-js/wasm is empty: run `cargo xtask pkg`, which builds the WebAssembly first.");
  process.exit(1);
}

/** Resolves what src/virtual.d.ts declares. */
const virtual = {
  name: "everwire",
  setup(bundle) {
    bundle.onResolve({ filter: /^everwire:glue$/ }, () => ({ path: glue, sideEffects: false }));
    bundle.onResolve({ filter: /^everwire:wasm$/ }, () => ({ path: "wasm", namespace: "everwire" }));
    bundle.onLoad({ filter: /.*/, namespace: "everwire" }, () => ({
      contents: readFileSync(wasm).toString("base64"),
      loader: "text",
    }));
  },
};

rmSync(dist, { recursive: true, force: true });
mkdirSync(dist);
await build({
  absWorkingDir: root,
  entryPoints: {
    index: "src/index.ts",
    slim: "src/slim.ts",
    "react/index": "src/react/index.ts",
    "vue/index": "src/vue/index.ts",
  },
  outdir: dist,
  bundle: true,
  splitting: true,
  format: "esm",
  target: ["es2022"],
  platform: "browser",
  external: ["react", "vue"],
  chunkNames: "chunks/[name]-[hash]",
  minify: true,
  sourcemap: true,
  sourcesContent: true,
  plugins: [virtual],
  logLevel: "warning",
});
copyFileSync(wasm, join(dist, "everwire.wasm"));

const tsc = join(dirname(createRequire(import.meta.url).resolve("typescript/package.json")), "bin/tsc");
execFileSync(process.execPath, [tsc, "-p", join(root, "tsconfig.build.json")], { stdio: "inherit" });
