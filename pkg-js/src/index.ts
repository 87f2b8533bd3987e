// The default entry: the WebAssembly is in the package's own JavaScript, in a chunk that is imported when a client
// connects. Works in every bundler and needs no set-up. Importing this does nothing by itself.

import { Client } from "./core/client.js";
import type { ConnectOptions } from "./core/events.js";
import { loadInline } from "./wasm/load-inline.js";

export * from "./public.js";

/** Connects to a server, and stays connected until `close`. Throws `invalid_option`. */
export function connect(options: ConnectOptions): Client {
  return new Client(options, loadInline)._start();
}
