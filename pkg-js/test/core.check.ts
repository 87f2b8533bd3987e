// Holds the border and the generated glue together, at compile time: `npm run check:wasm`, once wasm/ has been built.

import type { Core, CoreClass } from "../src/border.js";
import { Core as Built } from "../wasm/everwire.js";

// What the glue has is what the border says …
export const built: CoreClass = Built;

// … and the other way round: the core exports nothing that the border does not know.
type Unknown = Exclude<keyof InstanceType<typeof Built>, keyof Core | "free" | typeof Symbol.dispose>;
export const nothing: [Unknown] extends [never] ? true : Unknown = true;
export const parameters: ConstructorParameters<typeof Built>["length"] =
  0 as unknown as ConstructorParameters<CoreClass>["length"];
