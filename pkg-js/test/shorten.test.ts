// Shortening names: the WebAssembly and its glue still fit together, and a glue that looks different is refused.

import { describe, expect, it } from "vitest";
import { shorten } from "../shorten.mjs";

// (module (import "./x_bg.js" "__wbg_log_0123abcd" (func)) (func (export "core_run") call 0) (@custom "producers"))
const text = (value: string) => [value.length, ...new TextEncoder().encode(value)];
const section = (id: number, ...body: number[]) => [id, body.length, ...body];
const wasm = Uint8Array.from([
  ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
  ...section(1, 1, 0x60, 0, 0),
  ...section(2, 1, ...text("./x_bg.js"), ...text("__wbg_log_0123abcd"), 0, 0),
  ...section(3, 1, 0),
  ...section(7, 1, ...text("core_run"), 0, 1),
  ...section(10, 1, 4, 0, 0x10, 0, 0x0b),
  ...section(0, ...text("producers"), 1, 2, 3),
]);
const glue = `
const import0 = { __wbg_log_0123abcd: function() { calls++; }, __wbg_log_0123abcd_: 1 };
const imports = { "./x_bg.js": import0 };
wasm.core_run(); wasm.core_runs;`;

describe("shorten", () => {
  it("renames in both, whole names only, and drops custom sections", async () => {
    const short = shorten(wasm, glue);
    const module = await WebAssembly.compile(short.wasm);
    const [first] = WebAssembly.Module.imports(module);
    const [second] = WebAssembly.Module.exports(module);
    expect(first).toEqual({ module: "a", name: "a", kind: "function" });
    expect(second).toEqual({ name: "a", kind: "function" });
    expect(WebAssembly.Module.customSections(module, "producers")).toHaveLength(0);
    expect(short.glue).toBe(`
const import0 = { a: function() { calls++; }, __wbg_log_0123abcd_: 1 };
const imports = { "a": import0 };
wasm.a(); wasm.core_runs;`);
  });

  it("throws when an import is not in the glue", () => {
    expect(() => shorten(wasm, glue.replaceAll("log_0123abcd:", "other:"))).toThrow("__wbg_log_0123abcd");
  });
});
