// Builds dist/ from src/ and wasm/: JavaScript with the entries as chunks of one build, so that what they share exists
// once in an application; declarations; the WebAssembly file. It does not build the WebAssembly: `cargo xtask pkg` does.

import { execFileSync } from "node:child_process";
import { copyFileSync, existsSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { rolldown } from "rolldown";
import { encode } from "./encode.mjs";

const root = dirname(fileURLToPath(import.meta.url));
const glue = join(root, "wasm/everwire.js");
const wasm = join(root, "wasm/everwire_bg.wasm");
const names = join(root, "wasm/names.json");
const dist = join(root, "dist");
// Built in a temporary directory and then renamed, so that dist/ is never incomplete.
const fresh = join(root, `.dist-${process.pid}`);

if (![glue, wasm, names].every(existsSync)) {
  console.error("pkg-js/wasm is empty: run `cargo xtask pkg`, which builds the WebAssembly first.");
  process.exit(1);
}

// The WebAssembly has short names for its imports and exports; the glue of wasm-bindgen has the long ones, which are
// replaced.
const { imports, exports } = JSON.parse(readFileSync(names, "utf8"));
const short = new Map([...imports.map(([, long, short]) => [long, short]), ...exports]);
const shortGlue = readFileSync(glue, "utf8")
  .replace(/\b__wb(?:g|indgen)_\w+(?=:|\()|(?<=\bwasm\.)\w+/g, (name) => short.get(name) ?? name)
  .replace('"./everwire_bg.js"', '"a"');

/** The modules that src/wasm/virtual.d.ts declares. The glue's own loaders are not used, so they are omitted. */
const modules = {
  "everwire:glue": () => `${shortGlue}
export { __wbg_get_imports as imports, __wbg_finalize_init as finish };`,
  "everwire:wasm": () => `export default ${JSON.stringify(encode(readFileSync(wasm)))};`,
};
const virtual = {
  name: "everwire",
  resolveId: (id) => (Object.hasOwn(modules, id) ? `\0${id}` : null),
  load: (id) => modules[id.slice(1)]?.() ?? null,
};

// Names that begin with `_` are internal, and shortened to one letter after the `_`, the same in every chunk. Rolldown
// does this for builds of one chunk only.
const internals = new Map();
const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
const internal = {
  name: "internal",
  transform: {
    filter: { id: /src\/.*\.ts$/ },
    handler: (code) => ({
      code: code.replace(/(?<![\w$`"'-])_[a-z]\w*/g, (name) => {
        if (!internals.has(name)) internals.set(name, `_${letters[internals.size]}`);
        if (internals.size > letters.length) throw new Error("there are more internal names than letters");
        return internals.get(name);
      }),
      map: null,
    }),
  },
};

process.on("exit", () => rmSync(fresh, { recursive: true, force: true }));
const bundle = await rolldown({
  cwd: root,
  input: {
    index: "src/index.ts",
    slim: "src/slim.ts",
    "chat/index": "src/chat/index.ts",
    "react/index": "src/react/index.ts",
    "vue/index": "src/vue/index.ts",
  },
  platform: "browser",
  external: ["react", "vue"],
  transform: { target: "es2022" },
  // As in package.json: modules without used imports are omitted.
  treeshake: { moduleSideEffects: false },
  plugins: [virtual, internal],
  onLog(level, log, handle) {
    // "use client" stays at the top of its entry, as test/dist.test.ts checks.
    if (log.code !== "MODULE_LEVEL_DIRECTIVE") handle(level, log);
  },
});
const { output } = await bundle.write({
  dir: fresh,
  format: "esm",
  minify: true,
  sourcemap: true,
  chunkFileNames: "chunks/[name]-[hash].js",
});
await bundle.close();
// The lazy import of the default entry stays as it is, and finds the chunk loaded. If Rolldown saw both imports of it, the chunk
// would get an object of its exports, which every page would download.
const inline = output.find(({ fileName }) => fileName.startsWith("chunks/inline-"))?.fileName;
writeFileSync(join(fresh, "eager.js"), `import "./${inline}";\nexport * from "./index.js";\n`);
copyFileSync(wasm, join(fresh, "everwire.wasm"));

const tsc = join(dirname(createRequire(import.meta.url).resolve("typescript/package.json")), "bin/tsc");
const project = join(root, "tsconfig.build.json");
execFileSync(process.execPath, [tsc, "-p", project, "--outDir", fresh], { stdio: "inherit" });

const stale = `${fresh}-stale`;
if (existsSync(dist)) renameSync(dist, stale);
renameSync(fresh, dist);
rmSync(stale, { recursive: true, force: true });
