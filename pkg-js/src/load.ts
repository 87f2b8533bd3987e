// Loads the WebAssembly core: once per page, however many clients there are, and again after a failure. It runs only
// when a client connects, never on import.

import init, { Core } from "everwire:glue";
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
      await init({ module_or_path: await source() });
      return dress(Core);
    } catch (cause) {
      loading = undefined;
      throw cause;
    }
  })();
  return loading;
}
