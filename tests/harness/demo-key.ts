// The API key of the demo's servers in these tests, and the built demo that passes it to its pages. Separate from
// demo.ts, because harness/global.ts runs outside of tests.

import { resolve } from "node:path";

/** The API key of the tests' servers. */
export const KEY = "the API key of these tests";

/** The built demo with the key in it, created by harness/global.ts. */
export const DEMO_WITH_KEY = resolve(import.meta.dirname, "../output/demo");
