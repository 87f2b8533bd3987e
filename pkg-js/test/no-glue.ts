// Stands where the generated glue would be: unit tests script the core.

export const imports = (): WebAssembly.Imports => ({});
export const finish = (): void => {};
export class Core {}
