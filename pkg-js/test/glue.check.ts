// Holds src/wasm/create-core.ts and the generated glue together, at compile time: `npm run check:wasm`, once wasm/ has been
// built.

import type { HOST_NUMBERS, NUMBERS } from "../src/generated/bindings.js";
import type { RawCore } from "../src/wasm/create-core.js";
import type { Core as Built } from "../wasm/everwire.js";

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;

// The registers are where the tables have them: six numbers, then four texts.
export const numbers: Equal<6, typeof NUMBERS> = true;
export const hostNumbers: Equal<4, typeof HOST_NUMBERS> = true;
type Six = [number, number, number, number, number, number];
export const call: Parameters<Built["call"]> extends [number, ...Six, ...infer Texts]
  ? Equal<Texts["length"], 4>
  : false = true;
export const made: Equal<ConstructorParameters<typeof Built>["length"], 11> = true;

// The class has what is used of it, and nothing else.
export const accept: Equal<Parameters<Built["accept"]>, Parameters<RawCore["accept"]>> = true;
export const event: Equal<Parameters<Built["browser_event"]>["length"], 3> = true;
type Unknown = Exclude<keyof Built, keyof RawCore | typeof Symbol.dispose>;
export const nothing: Equal<Unknown, never> = true;
