// The chunk that holds the WebAssembly. Nothing imports it but ./inlined.ts, and that lazily.

import text from "everwire:wasm";

export function bytes(): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(text), (char) => char.charCodeAt(0));
}
