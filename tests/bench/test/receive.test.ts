// The benchmark itself: with each client, every message arrives, in order and in the claimed batches. Speed is not
// tested here. `receive` throws if anything is missing or out of order.

import { expect, test } from "vitest";
import { receive } from "../src/receive/receive.js";
import { table } from "../src/receive/table.js";

test("every client receives every message in order, and every figure is present", async () => {
  const messages = 600;
  const result = await receive({ messages, rounds: 1 });
  for (const { name, framing, batch, frames_per_second, microseconds, runs } of result.rows) {
    expect(frames_per_second.median, name).toBeGreaterThan(0);
    expect(microseconds.median, name).toBeGreaterThan(0);
    expect(runs, name).toHaveLength(1);
    // A few WebSocket messages of the protocol itself are counted too.
    if (framing === "one") expect(batch, name).toBeGreaterThan(0.9);
    if (framing === "one") expect(batch, name).toBeLessThanOrEqual(1);
    else expect(batch, name).toBeGreaterThan(2);
  }
  expect(result.rows.map(({ name }) => name)).toEqual(
    expect.arrayContaining(["pusher-js", "phoenix", "centrifuge"]),
  );
  for (const [name, ratio] of Object.entries(result.ratios)) expect(ratio, name).toBeGreaterThan(0);
  expect(result.browser).toMatch(/^(Headless)?Chrome\/\d/);
  expect(table(result)).toContain("everwire, replay");
});
