// Loads the WebAssembly core: once per page for all clients, and again after a failure. It runs only
// when a client connects, never on import.

import { Core, finish, imports } from "everwire:glue";
import type { CoreClass } from "./create-core.js";
import { createCore } from "./create-core.js";

/** Instantiates the module with these imports. */
export type Instantiate = (imports: WebAssembly.Imports) => Promise<WebAssembly.Instance>;

let loading: Promise<CoreClass> | undefined;

/** The class `Core`, ready for use. `instantiate` is called the first time, and again after a failure. */
export function loadCore(instantiate: Instantiate): Promise<CoreClass> {
  loading ??= (async () => {
    try {
      finish(await instantiate(imports()));
      return createCore(Core);
    } catch (cause) {
      loading = undefined;
      throw cause;
    }
  })();
  return loading;
}
