// The WebAssembly from wherever the application has it, for the slim entry and the bindings. The default entry does not
// need this.

import type { Instantiate } from "./load.js";

/** What the core can be loaded from. A URL or text is fetched. */
export type WasmSource =
  | string
  | URL
  | Response
  | BufferSource
  | WebAssembly.Module
  | Promise<string | URL | Response | BufferSource | WebAssembly.Module>;

/** For `loadCore`: `source` is asked each time that it tries. */
export function from(source: () => WasmSource): Instantiate {
  return async (imports) => {
    const given = await source();
    let from = typeof given === "string" || given instanceof URL ? await fetch(given) : given;
    if (from instanceof Response) {
      if (!from.ok) throw new Error(`${from.url} gave HTTP status ${from.status}`);
      // Compiled while it comes, if the server calls it exactly what it is; browsers refuse that otherwise.
      if (from.headers.get("content-type") === "application/wasm") {
        return (await WebAssembly.instantiateStreaming(from, imports)).instance;
      }
      from = await from.arrayBuffer();
    }
    const made: WebAssembly.Instance | WebAssembly.WebAssemblyInstantiatedSource =
      await WebAssembly.instantiate(from as BufferSource, imports);
    // A module gives an instance, bytes give both.
    return "instance" in made ? made.instance : made;
  };
}
