// Measures what a browser downloads for applications of a few lines: bundles them with the packed package, and compresses
// every file of the result. Prints JSON. `cargo xtask size` runs it: `node size.mjs package <tarball>`, and for the sizes
// of any files `node size.mjs files <file>…`.

import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { brotliCompressSync, constants, gunzipSync, gzipSync } from "node:zlib";
import { rolldown } from "rolldown";

// The first one is the default entry alone; the others say what their entry adds to it.
const APPLICATIONS = {
  everwire: `import { connect } from "everwire"; connect({ url: "/" });`,
  "everwire/chat": `import { connect } from "everwire"; import { createChat } from "everwire/chat"; createChat(connect({ url: "/" })).chats;`,
};

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

/** What a bundler with default settings makes of an entry, minified: file names and contents. */
async function bundle(entry) {
  const build = await rolldown({ input: entry, platform: "browser", logLevel: "warn" });
  const { output } = await build.generate({ format: "esm", minify: true });
  await build.close();
  return output.map((file) => ({
    name: file.fileName,
    content: file.type === "chunk" ? file.code : file.source,
  }));
}

async function measurePackage(tarball) {
  const directory = mkdtempSync(join(tmpdir(), "everwire-size-"));
  try {
    unpack(tarball, join(directory, "node_modules/everwire"));
    const entries = [];
    for (const [name, application] of Object.entries(APPLICATIONS)) {
      const entry = join(directory, "application.js");
      writeFileSync(entry, application);
      const files = (await bundle(entry)).map(({ name, content }) => sizes(name, content));
      const sum = (field) => files.reduce((total, file) => total + file[field], 0);
      const total = {
        raw_bytes: sum("raw_bytes"),
        gzip_bytes: sum("gzip_bytes"),
        brotli_bytes: sum("brotli_bytes"),
      };
      entries.push({ name, ...total, files });
    }
    const wasm = readFileSync(join(directory, "node_modules/everwire/dist/everwire.wasm"));
    return { entries, parts: [sizes("WebAssembly, as a file", wasm)] };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

const [what, ...rest] = process.argv.slice(2);
const result =
  what === "package"
    ? await measurePackage(...rest)
    : rest.map((file) => sizes(basename(file), readFileSync(file)));
console.log(JSON.stringify(result, null, 2));
