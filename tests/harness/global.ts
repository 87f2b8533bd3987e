// Runs once before all tests: builds the test pages like an application would, and reports what is missing.

import { existsSync } from "node:fs";
import { copyFile, cp, mkdir, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { build } from "esbuild";
import { DEMO_WITH_KEY, KEY } from "./demo-key";
import { collectFigures, forgetFigures } from "./figures";

const tests = resolve(import.meta.dirname, "..");
const pages = join(tests, "output/pages");

export async function setup(): Promise<void> {
  for (const [file, what] of [
    ["../pkg-js/dist/index.js", "the npm package: run `cargo xtask pkg`"],
    ["../demo-web/dist/index.html", "the demo page: run `npm run build -w demo-web`"],
  ] as const) {
    if (!existsSync(join(tests, file))) throw new Error(`These tests need ${what}.`);
  }
  forgetFigures();
  await cp(join(tests, "../demo-web/dist"), DEMO_WITH_KEY, { recursive: true });
  await writeFile(join(DEMO_WITH_KEY, "demo.json"), JSON.stringify({ apiKey: KEY }));
  await mkdir(pages, { recursive: true });
  await build({
    entryPoints: [join(tests, "pages/bare.ts"), join(tests, "pages/people.ts")],
    outdir: pages,
    bundle: true,
    splitting: true,
    format: "esm",
    target: "es2022",
    sourcemap: true,
  });
  for (const page of ["index.html", "elsewhere.html", "people.html"])
    await copyFile(join(tests, "pages", page), join(pages, page));
}

export function teardown(): void {
  collectFigures();
}
