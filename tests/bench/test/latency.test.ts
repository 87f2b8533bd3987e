// The benchmark itself: both contenders are heard, with and without others, and the numbers are plausible. How fast is not
// asked here.

import { expect, test } from "vitest";
import { latency, quantiles } from "../src/latency/latency.js";
import { table } from "../src/latency/table.js";

test("every message is on the other's screen once, after it was at the listener", async () => {
  const result = await latency({ messages: 10, rounds: 1, crowd: 20 });
  expect(result.rows.map(({ name, crowd }) => `${name} ${crowd}`).toSorted()).toEqual([
    "everwire 0",
    "everwire 20",
    "socket.io 0",
    "socket.io 20",
  ]);
  for (const { name, messages, listener_ms, screen_ms } of result.rows) {
    expect(messages, name).toBe(10);
    expect(listener_ms.p50, name).toBeGreaterThan(0);
    expect(screen_ms.p50, name).toBeGreaterThan(listener_ms.p50);
    expect(screen_ms.p99, name).toBeGreaterThanOrEqual(screen_ms.p50);
  }
  expect(result.ratios.quiet_p50).toBeGreaterThan(0);
  expect(table(result)).toContain("to the screen, p50");
});

test("quantiles are values that were measured", () => {
  const values = Array.from({ length: 100 }, (_, n) => 100 - n);
  expect(quantiles(values)).toEqual({ p50: 50, p99: 99 });
  expect(quantiles([7])).toEqual({ p50: 7, p99: 7 });
});
