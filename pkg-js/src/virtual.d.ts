// What the build puts in: the glue that wasm-bindgen generates (wasm/everwire.js), and the encoded WebAssembly.

declare module "everwire:glue" {
  export default function init(options: { module_or_path: unknown }): Promise<unknown>;
  export const Core: import("./core.js").RawCoreClass;
}

declare module "everwire:wasm" {
  /** The bytes, as ./inline.ts reads them. */
  const text: string;
  export default text;
}
