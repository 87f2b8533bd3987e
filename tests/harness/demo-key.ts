// The API key of the demo's servers in these tests, and the built demo that gives it to its pages. Apart from demo.ts, because
// harness/global.ts runs where there are no tests yet.

import { resolve } from "node:path";

/** What the tests' servers of the demo take for the key of a back end. */
export const KEY = "the API key of these tests";

/** The built demo with the key in it: harness/global.ts makes it. */
export const DEMO_WITH_KEY = resolve(import.meta.dirname, "../output/demo");
