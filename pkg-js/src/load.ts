// Loads the WebAssembly core: once per page, however many clients there are, and again after a failure. It runs only
// when a client connects, never on import.

import { Core, finish, imports } from "everwire:glue";
import type { CoreClass } from "./border.js";
import { dress } from "./core.js";

/** What the core can be loaded from. A URL or text is fetched. */
export type WasmSource =
  | string
  | URL
  | Response
  | BufferSource
  | WebAssembly.Module
  | Promise<string | URL | Response | BufferSource | WebAssembly.Module>;

let loading: Promise<CoreClass> | undefined;

/** The class `Core`, ready for use. `source` is asked at the first call, and again after a failure. */
export function loadCore(source: () => WasmSource): Promise<CoreClass> {
  loading ??= (async () => {
    try {
      finish(await instantiate(await source()));
      return dress(Core);
    } catch (cause) {
      loading = undefined;
      throw cause;
    }
  })();
  return loading;
}

async function instantiate(source: Awaited<WasmSource>): Promise<WebAssembly.Instance> {
  let from = typeof source === "string" || source instanceof URL ? await fetch(source) : source;
  if (from instanceof Response) {
    if (!from.ok) throw new Error(`${from.url} gave HTTP status ${from.status}`);
    // Compiled while it comes, if the server calls it exactly what it is; browsers refuse that otherwise.
    if (from.headers.get("content-type") === "application/wasm") {
      return (await WebAssembly.instantiateStreaming(from, imports())).instance;
    }
    from = await from.arrayBuffer();
  }
  const made: WebAssembly.Instance | WebAssembly.WebAssemblyInstantiatedSource =
    await WebAssembly.instantiate(from as BufferSource, imports());
  // A module gives an instance, bytes give both.
  return "instance" in made ? made.instance : made;
}
