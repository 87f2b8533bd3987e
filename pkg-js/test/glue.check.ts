// Holds src/wasm/create-core.ts and the generated glue together, at compile time: `npm run check:wasm`, once wasm/ has been built.

import type { Operation, RawCoreClass, Told } from "../src/wasm/create-core.js";
import { Core as Built, type Operation as BuiltOperation, type Told as BuiltTold } from "../wasm/everwire.js";

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;

/** An enum as an object type of names and numbers, so that two can be compared. */
type Numbers<Enum> = { [Name in keyof Enum]: `${Enum[Name] & number}` };

export const operations: Equal<Numbers<typeof Operation>, Numbers<typeof BuiltOperation>> = true;
export const told: Equal<Numbers<typeof Told>, Numbers<typeof BuiltTold>> = true;

// The class takes what it is given …
type Loose = Omit<RawCoreClass, never>;
export const built: Loose = Built;
export const parameters: Equal<
  ConstructorParameters<typeof Built>["length"],
  ConstructorParameters<RawCoreClass>["length"]
> = true;
export const call: Equal<
  Required<Parameters<Built["call"]>>["length"],
  Parameters<InstanceType<RawCoreClass>["call"]>["length"]
> = true;

// … and has nothing that src/wasm/create-core.ts does not know.
type Unknown = Exclude<keyof Built, keyof InstanceType<RawCoreClass> | typeof Symbol.dispose>;
export const nothing: Equal<Unknown, never> = true;
