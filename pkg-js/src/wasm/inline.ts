// The chunk that holds the WebAssembly. Nothing imports it but ./load-inline.ts, and that lazily. The encoding is described in
// ../../encode.mjs.

import text from "everwire:wasm";

/** The WebAssembly. */
export const bytes = (): Uint8Array<ArrayBuffer> => decode(text);

/** @internal The reverse of `encode`. */
export function decode(encoded: string): Uint8Array<ArrayBuffer> {
  const rank: number[] = [];
  let size = 0;
  for (let code = 0x20; code < 0x7f; code++) {
    if (!"\"'`\\$<".includes(String.fromCharCode(code))) rank[code] = size++;
  }
  const singles: number[] = [];
  const pairs: number[] = [];
  for (let byte = 0; byte < 256; byte++)
    (byte < 67 || (byte > 96 && byte < 117) ? singles : pairs).push(byte);
  const bytes = new Uint8Array(encoded.length);
  let length = 0;
  for (let at = 0; at < encoded.length; ) {
    const first = rank[encoded.charCodeAt(at++)] ?? 0;
    bytes[length++] =
      singles[first] ?? pairs[(first - singles.length) * size + (rank[encoded.charCodeAt(at++)] ?? 0)] ?? 0;
  }
  return bytes.slice(0, length);
}
