// The default entry: the WebAssembly is in a JavaScript chunk of the package, which is imported when a client connects.
// Works in every bundler without configuration. Importing has no side effects.

import { Client } from "./core/client.js";
import type { ConnectOptions } from "./core/events.js";
import { loadInline } from "./wasm/load-inline.js";

export * from "./public.js";

/** Connects to a server, and stays connected until `close`. Throws `invalid_option`. */
export function connect(options: ConnectOptions): Client {
  return new Client(options, loadInline)._start();
}
