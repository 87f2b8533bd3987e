// The modules that ../../build.mjs adds: the glue code of wasm-bindgen, with short names, and the encoded WebAssembly.

declare module "everwire:glue" {
  /** The imports of the WebAssembly. */
  export function imports(): WebAssembly.Imports;
  /** Connects the glue to this instance: once, before `Core` is used. */
  export function finish(instance: WebAssembly.Instance): void;
  export const Core: import("./create-core.js").RawCoreClass;
}

declare module "everwire:wasm" {
  /** The encoded bytes for ./inline.ts. */
  const text: string;
  export default text;
}
