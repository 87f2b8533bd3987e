// The benchmark itself: every receiver gets every message once from both servers, and the figures are plausible. Speed is not tested
// here.

import { expect, test } from "vitest";
import { fanout } from "../src/fanout/fanout.js";
import { table } from "../src/fanout/table.js";
import { MARK, MarkCounter } from "../src/run/raw-websocket.js";

test("every message reaches every receiver once, at both paces", async () => {
  const result = await fanout({ receivers: 30, rounds: 1, messages: 20, fast: 2_000 });
  expect(result.rows.map(({ name, pace, messages }) => `${name} ${pace} ${messages}`).toSorted()).toEqual([
    "everwire full speed 2000",
    "everwire one at a time 20",
    "ws full speed 2000",
    "ws one at a time 20",
  ]);
  for (const { name, pace, us_per_delivery, us_in_kernel } of result.rows) {
    if (pace === "full speed") expect(us_per_delivery, name).toBeGreaterThan(0);
    expect(us_in_kernel, name).toBeLessThanOrEqual(us_per_delivery);
  }
  expect(result.ratios.full_speed).toBeGreaterThan(0);
  expect(table(result)).toContain("deliveries per CPU-second");
});

test("marks are counted wherever the bytes are divided", () => {
  const bytes = Buffer.concat([Buffer.from("a"), MARK, MARK, Buffer.from("bc"), MARK.subarray(0, 5), MARK]);
  for (let size = 1; size <= bytes.length; size++) {
    const counter = new MarkCounter();
    for (let at = 0; at < bytes.length; at += size) counter.add(bytes.subarray(at, at + size));
    expect(counter.count, `pieces of ${size}`).toBe(3);
  }
});
