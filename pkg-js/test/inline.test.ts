// The encoding of the inline chunk: what goes in comes out, and what is in between is harmless text.

import { describe, expect, it } from "vitest";
import { encode } from "../encode.mjs";
import { decode } from "../src/wasm/inline.js";

const samples: [string, Uint8Array][] = [
  ["nothing", new Uint8Array()],
  ["every byte", Uint8Array.from({ length: 256 }, (_, n) => n)],
  ["one byte often", new Uint8Array(1000).fill(0xff)],
  ["uneven bytes", Uint8Array.from({ length: 50_000 }, (_, n) => (n * n * 31 + (n >> 3)) & 0xff)],
];

describe("the inline encoding", () => {
  it.each(samples)("keeps %s", (_, bytes) => {
    expect(decode(encode(bytes))).toEqual(bytes);
  });

  it.each(samples)("of %s needs no escapes anywhere", (_, bytes) => {
    expect(encode(bytes)).toMatch(/^[ !#%&()*+,\-./0-9:;=>?@A-Z[\]^_a-z{|}~]*$/);
  });
});
