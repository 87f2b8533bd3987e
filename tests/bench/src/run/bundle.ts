// Pages as an application would ship them: bundled by esbuild for production, in memory.

import { readFile } from "node:fs/promises";
import { basename } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

/** The files of a page: names and contents. */
export type Files = ReadonlyMap<string, Uint8Array>;

const EXPECTED =
  "The package has not been built; `cargo xtask pkg` does it, and so does `cargo xtask bench`.";

/** Bundles modules of ../pages, given by path without extension. Lazy imports become separate files. */
export async function bundle(entries: readonly string[]): Promise<Files> {
  const path = (name: string) => fileURLToPath(new URL(`../pages/${name}.ts`, import.meta.url));
  const { outputFiles } = await build({
    entryPoints: entries.map(path),
    outdir: "/",
    entryNames: "[name]",
    chunkNames: "chunk-[hash]",
    bundle: true,
    splitting: true,
    format: "esm",
    minify: true,
    target: "es2022",
    define: { "process.env.NODE_ENV": '"production"' },
    write: false,
    logLevel: "silent",
  }).catch((error: Error) => {
    throw error.message.includes('resolve "everwire') ? new Error(`${EXPECTED}\n${error.message}`) : error;
  });
  return new Map(outputFiles.map(({ path, contents }) => [`/${basename(path)}`, contents]));
}

/** The package's WebAssembly file, for the slim entry. */
export const wasm = (): Promise<Uint8Array> =>
  readFile(fileURLToPath(import.meta.resolve("everwire/everwire.wasm")));
