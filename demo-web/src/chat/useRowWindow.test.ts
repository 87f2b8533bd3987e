// Which part of a long conversation is rendered.

import { expect, it } from "vitest";
import { keptRows } from "./useRowWindow";

it("a conversation of usual length is kept whole, wherever one reads", () => {
  for (let seen = 0; seen < 4000; seen += 100) expect(keptRows(seen, 4000, 4000)).toBe(4000);
});

it("far back, what is far below is left out", () => {
  expect(keptRows(50, 100_000, 100_000)).toBe(2050);
  expect(keptRows(50, 2050, 100_000)).toBe(2050);
  // Older messages were loaded: every index has moved.
  expect(keptRows(250, 2250, 100_200)).toBe(2250);
});

it("on the way back it is there before the reader, down to the end", () => {
  let kept = 2000;
  let changes = 0;
  for (let seen = 0; seen < 10_000; seen += 20) {
    const next = keptRows(seen, kept, 10_000);
    if (next !== kept) changes++;
    kept = next;
    expect(kept).toBeGreaterThan(seen);
    expect(kept - seen).toBeLessThanOrEqual(4000);
  }
  expect(kept).toBe(10_000);
  expect(changes).toBeLessThan(20);
});
