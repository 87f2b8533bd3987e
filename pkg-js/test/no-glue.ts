// Stands where the generated glue would be, as long as the WebAssembly has not been built.

export default function init(): Promise<never> {
  return Promise.reject(new Error("pkg-js/wasm has not been built"));
}

export class Core {}
