// The benchmark itself: each client connects and gets its first message over both latencies and loads, and the figures
// are plausible. Speed is not tested here.

import { expect, test } from "vitest";
import { connect } from "../src/connect/connect.js";
import { table } from "../src/connect/table.js";

test("every client connects, near and far, with an empty and a filled cache", async () => {
  const way = 30;
  const result = await connect({ rounds: 1, "round-trip": way });
  expect(result.rows).toHaveLength(9 * 2 * 2);
  for (const row of result.rows) {
    const { imported_ms, connected_ms, first_message_ms, load, round_trip_ms, page_bytes, wire_bytes } = row;
    const name = `${row.name}, ${load}, ${round_trip_ms} ms`;
    expect(imported_ms.median, name).toBeGreaterThan(0);
    expect(connected_ms.median, name).toBeGreaterThanOrEqual(imported_ms.median);
    expect(first_message_ms.median, name).toBeGreaterThanOrEqual(connected_ms.median);
    // The handshakes of TCP and WebSocket are the minimum.
    expect(first_message_ms.median, name).toBeGreaterThanOrEqual(2 * round_trip_ms);
    expect(wire_bytes, name).toBeGreaterThan(300);
    expect(page_bytes, name).toBeGreaterThan(load === "cold" ? 500 : 100);
  }
  const bytes = (load: string) =>
    result.rows.find((row) => row.name === "everwire" && row.load === load)?.page_bytes;
  expect(bytes("warm"), "what is in the cache is not loaded again").toBeLessThan((bytes("cold") ?? 0) / 4);
  expect(table(result)).toContain("round trips until the first message");
});
