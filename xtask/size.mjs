// Measures what a browser downloads for an application of one line: bundles it with the packed package, and compresses
// every file of the result. Prints JSON. `cargo xtask size` runs it: node size.mjs <tarball> <directory of the wasm>.

import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import { brotliCompressSync, constants, gunzipSync, gzipSync } from "node:zlib";
import { build, transformSync } from "esbuild";

const [tarball, wasmDirectory] = process.argv.slice(2);

const APPLICATION = `import { connect } from "everwire"; connect({ url: "/" });`;

/** Unpacks the files of an npm tarball, whose names all begin with `package/`. */
function unpack(file, directory) {
  const tar = gunzipSync(readFileSync(file));
  const text = (from, length) => tar.toString("utf8", from, from + length).replace(/\0.*$/s, "");
  for (let at = 0; at + 512 <= tar.length && tar[at] !== 0; ) {
    const size = Number.parseInt(text(at + 124, 12), 8);
    const prefix = text(at + 345, 155);
    const name = (prefix ? `${prefix}/` : "") + text(at, 100);
    if (text(at + 156, 1) === "0" && name.startsWith("package/") && !name.includes("..")) {
      const target = join(directory, name.slice("package/".length));
      mkdirSync(dirname(target), { recursive: true });
      writeFileSync(target, tar.subarray(at + 512, at + 512 + size));
    }
    at += 512 + Math.ceil(size / 512) * 512;
  }
}

/** Sizes of one file: raw, gzip -9, Brotli 11. */
function sizes(name, content) {
  const bytes = Buffer.from(content);
  const params = { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length };
  return {
    name,
    raw_bytes: bytes.length,
    gzip_bytes: gzipSync(bytes, { level: 9 }).length,
    brotli_bytes: brotliCompressSync(bytes, { params }).length,
  };
}

async function bundle(directory) {
  unpack(tarball, join(directory, "node_modules/everwire"));
  const entry = join(directory, "application.js");
  writeFileSync(entry, APPLICATION);
  const { outputFiles } = await build({
    absWorkingDir: directory,
    entryPoints: [entry],
    outdir: join(directory, "out"),
    bundle: true,
    splitting: true,
    minify: true,
    format: "esm",
    target: "es2022",
    platform: "browser",
    logLevel: "error",
    write: false,
  });
  return outputFiles.map((file) => ({
    name: relative(join(directory, "out"), file.path),
    text: file.text,
  }));
}

const directory = mkdtempSync(join(tmpdir(), "everwire-size-"));
try {
  const outputs = await bundle(directory);
  const files = outputs.map(({ name, text }) => sizes(name, text));
  const sum = (field) => files.reduce((total, file) => total + file[field], 0);
  const glue = transformSync(readFileSync(join(wasmDirectory, "everwire.js"), "utf8"), {
    minify: true,
    format: "esm",
  }).code;
  const wasm = readFileSync(join(wasmDirectory, "everwire_bg.wasm"));
  const result = {
    total_raw_bytes: sum("raw_bytes"),
    total_gzip_bytes: sum("gzip_bytes"),
    total_brotli_bytes: sum("brotli_bytes"),
    files,
    parts: [sizes("glue of wasm-bindgen, minified", glue), sizes("WebAssembly, as a file", wasm)],
  };
  console.log(JSON.stringify(result, null, 2));
} finally {
  rmSync(directory, { recursive: true, force: true });
}
