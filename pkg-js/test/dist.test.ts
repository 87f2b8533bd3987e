// What is published: every export is there, importing does nothing, the WebAssembly stays in its own chunk, and nothing
// needs more than a strict Content-Security-Policy. Needs dist/: `npm run build` after `cargo xtask pkg` has built wasm/.

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, constants } from "node:zlib";
import { parseAst } from "rolldown/parseAst";
import { describe, expect, it } from "vitest";

const root = fileURLToPath(new URL("..", import.meta.url));
const dist = `${root}dist/`;
const read = (path: string) => readFileSync(dist + path, "utf8");

interface Manifest {
  exports: Record<string, string | { types: string; default: string }>;
}

/** Whether something is awaited outside of all functions. */
function awaitsOutside(node: unknown): boolean {
  if (typeof node !== "object" || node === null) return false;
  const { type } = node as { type?: string };
  if (type?.includes("Function")) return false;
  return type === "AwaitExpression" || Object.values(node).some(awaitsOutside);
}

describe.skipIf(!existsSync(`${dist}index.js`))("the built package", () => {
  const { exports }: Manifest = JSON.parse(readFileSync(`${root}package.json`, "utf8"));
  const scripts = () =>
    readdirSync(dist, { recursive: true, encoding: "utf8" }).filter((path) => path.endsWith(".js"));

  /** The scripts that `entry` loads without being asked, itself included. */
  const eager = (entry: string, seen = new Set<string>()): Set<string> => {
    if (seen.has(entry)) return seen;
    seen.add(entry);
    for (const [, target = ""] of read(entry).matchAll(/(?:from|import)\s*"(\.[^"]+)"/g)) {
      eager(new URL(target, `file:///${entry}`).pathname.slice(1), seen);
    }
    return seen;
  };

  /** The source map of a script; none if it only says again what a chunk exports. */
  const mapOf = (script: string) =>
    /^(?:(?:import\s*"[^"]*"|(?:import|export)\s*(?:\{[^}]*\}|\*)\s*from\s*"[^"]*");\s*)*$/.test(
      readFileSync(root + script, "utf8"),
    )
      ? []
      : [`${script}.map`];

  it("has every file that it exports, with types, source maps and declaration maps", () => {
    const files = Object.values(exports).flatMap((entry) =>
      typeof entry === "string"
        ? [entry]
        : [entry.types, entry.default, `${entry.types}.map`, ...mapOf(entry.default)],
    );
    for (const file of files) expect(existsSync(root + file), file).toBe(true);
  });

  it("has no side effects on import, even without a browser", async () => {
    for (const entry of [
      "index.js",
      "eager.js",
      "slim.js",
      "chat/index.js",
      "react/index.js",
      "vue/index.js",
    ]) {
      expect(Object.keys(await import(/* @vite-ignore */ dist + entry)), entry).not.toEqual([]);
    }
  });

  it("has the WebAssembly in one chunk that is loaded lazily", () => {
    const inline = scripts().filter((path) => /\/inline-/.test(path));
    expect(inline).toHaveLength(1);
    for (const entry of ["index.js", "slim.js", "chat/index.js", "react/index.js", "vue/index.js"]) {
      expect([...eager(entry)], entry).not.toContain(inline[0]);
    }
    expect([...eager("slim.js")].map(read).join("")).not.toMatch(/\/inline-/);
    expect([...eager("eager.js")]).toContain(inline[0]);
  });

  it("has the same WebAssembly in the chunk and in the file, and it compiles", async () => {
    const [inline = ""] = scripts().filter((path) => /\/inline-/.test(path));
    const { bytes } = await import(/* @vite-ignore */ dist + inline);
    const file = new Uint8Array(readFileSync(`${dist}everwire.wasm`));
    expect(bytes()).toEqual(file);
    expect(WebAssembly.Module.exports(await WebAssembly.compile(file)).length).toBeGreaterThan(10);
  });

  it("needs neither eval nor data: nor blob: URLs, and has no top-level await", () => {
    for (const path of scripts().filter((name) => !/\/inline-/.test(name))) {
      const text = read(path);
      expect(text, path).not.toMatch(/\beval\(|new Function|["'`](data|blob):|createObjectURL/);
      expect(awaitsOutside(parseAst(text)), path).toBe(false);
    }
  });

  it("marks the React entry as code for the client, for frameworks with server components", () => {
    expect(read("react/index.js")).toMatch(/^"use client";/);
  });

  it("does not contain the messages of the generated tables", () => {
    const text = [...eager("index.js")].map(read).join("");
    expect(text).not.toContain("User banned from this server");
  });

  it("has chats and notifications in their own entry only", () => {
    const sources = (entry: string) =>
      [...eager(entry)]
        .flatMap((path) => mapOf(`dist/${path}`))
        .flatMap((map): string[] => JSON.parse(readFileSync(root + map, "utf8")).sources);
    const chat = (entry: string) => sources(entry).filter((path) => path.includes("src/chat/"));
    expect(chat("chat/index.js")).not.toEqual([]);
    expect([...chat("index.js"), ...chat("eager.js"), ...chat("slim.js")]).toEqual([]);
  });

  it("is small besides the WebAssembly: at most 11.6 kB with brotli, the glue of wasm-bindgen included", () => {
    const text = [...eager("index.js")].map(read).join("");
    const params = { [constants.BROTLI_PARAM_QUALITY]: 11 };
    expect(brotliCompressSync(text, { params }).length).toBeLessThan(11_600);
  });

  it("has declarations without internals", () => {
    expect(read("core/client.d.ts") + read("core/channel.d.ts") + read("chat/chat-client.d.ts")).not.toMatch(
      / _[a-z]/,
    );
  });
});
