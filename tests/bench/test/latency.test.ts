// The benchmark itself: both contenders receive, with and without a crowd, and the figures are plausible. Speed is not
// tested here.

import { expect, test } from "vitest";
import { latency, quantiles } from "../src/latency/latency.js";
import { table } from "../src/latency/table.js";

test("every message appears on the other screen once, after it reached the listener", async () => {
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
  expect(result.disk_write_ms.p50).toBeGreaterThanOrEqual(0);
  expect(result.disk_write_ms.p99).toBeGreaterThanOrEqual(result.disk_write_ms.p50);
  expect(result.ratios.quiet_p50).toBeGreaterThan(0);
  expect(table(result)).toContain("to the screen, p50");
});

test("quantiles are measured values", () => {
  const values = Array.from({ length: 100 }, (_, n) => 100 - n);
  expect(quantiles(values)).toEqual({ p50: 50, p99: 99 });
  expect(quantiles([7])).toEqual({ p50: 7, p99: 7 });
});
