// The slim entry: the application provides the WebAssembly, for example as a URL of `everwire/everwire.wasm`. It is compiled
// while it streams, and not part of any JavaScript. Importing has no side effects.

import { Client } from "./core/client.js";
import { EverwireError } from "./core/errors.js";
import type { ConnectOptions } from "./core/events.js";
import { loadCore } from "./wasm/load.js";
import { from, type WasmSource } from "./wasm/source.js";

export * from "./public.js";
export type { WasmSource };

/** Options of `connect`, with the WebAssembly. */
export interface SlimConnectOptions extends ConnectOptions {
  /** The package's `everwire.wasm`: its URL, a response, its bytes, a compiled module, or a promise of one of these. */
  wasm: WasmSource;
}

/** Connects to a server, and stays connected until `close`. Throws `invalid_option`. */
export function connect(options: SlimConnectOptions): Client {
  const { wasm } = options;
  if (wasm == null) throw new EverwireError("invalid_option", "The option wasm is missing.");
  return new Client(options, () => loadCore(from(() => wasm)))._start();
}
