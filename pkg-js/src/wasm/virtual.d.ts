// What ../../build.mjs puts in: the glue that wasm-bindgen generates, with short names, and the encoded WebAssembly.

declare module "everwire:glue" {
  /** What the WebAssembly imports. */
  export function imports(): WebAssembly.Imports;
  /** Makes the glue work with this instance: once, before `Core` is used. */
  export function finish(instance: WebAssembly.Instance): void;
  export const Core: import("./create-core.js").RawCoreClass;
}

declare module "everwire:wasm" {
  /** The bytes, as ./inline.ts reads them. */
  const text: string;
  export default text;
}
