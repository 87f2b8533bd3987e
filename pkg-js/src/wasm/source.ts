// Loads the WebAssembly that the application provides, for the slim entry and the bindings. The default entry does not need
// this.

import type { Instantiate } from "./load.js";

/** A source of the core. A URL or string is fetched. */
export type WasmSource =
  | string
  | URL
  | Response
  | BufferSource
  | WebAssembly.Module
  | Promise<string | URL | Response | BufferSource | WebAssembly.Module>;

/** The first bytes of WebAssembly. */
const MAGIC = 0x0061736d;

/** For `loadCore`: `source` is evaluated at each attempt. */
export function from(source: () => WasmSource): Instantiate {
  return async (imports) => {
    const given = await source();
    let from = typeof given === "string" || given instanceof URL ? await fetch(given) : given;
    if (from instanceof Response) {
      if (!from.ok) throw new Error(`${from.url} gave HTTP status ${from.status}`);
      // Compiled while it streams, if the server sends the exact media type, which browsers require.
      if (from.headers.get("content-type") === "application/wasm") {
        return (await WebAssembly.instantiateStreaming(from, imports)).instance;
      }
      const { url } = from;
      const bytes = await from.arrayBuffer();
      from = bytes;
      // Often the page of an application that answers for every path, or that is being deployed.
      if (new DataView(bytes).byteLength < 4 || new DataView(bytes).getUint32(0) !== MAGIC)
        throw new Error(`${url} is not WebAssembly`);
    }
    const made: WebAssembly.Instance | WebAssembly.WebAssemblyInstantiatedSource =
      await WebAssembly.instantiate(from as BufferSource, imports);
    // A module results in an instance, bytes in both.
    return "instance" in made ? made.instance : made;
  };
}
