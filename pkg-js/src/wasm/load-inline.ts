// Loads the core for the default entry: from a chunk of its own, imported on demand.

import type { CoreClass } from "./create-core.js";
import { loadCore } from "./load.js";

export const loadInline = (): Promise<CoreClass> =>
  loadCore(async (imports) => {
    const { bytes } = await import("./inline.js");
    return (await WebAssembly.instantiate(bytes(), imports)).instance;
  });
