// Which part of a long conversation is rendered.

import { expect, it } from "vitest";
import { keptRows } from "./useRowWindow";

it("keeps a conversation of usual length as a whole", () => {
  for (let seen = 0; seen < 4000; seen += 100) expect(keptRows(seen, 4000, 4000)).toBe(4000);
});

it("leaves out rows far below the view", () => {
  expect(keptRows(50, 100_000, 100_000)).toBe(2050);
  expect(keptRows(50, 2050, 100_000)).toBe(2050);
  // Older messages were loaded: every index has moved.
  expect(keptRows(250, 2250, 100_200)).toBe(2250);
});

it("restores rows before the user gets there, down to the end", () => {
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
