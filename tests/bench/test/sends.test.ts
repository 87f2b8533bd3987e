// The benchmark itself: every message of every sender gets its ack, and the figures are plausible. How fast, is not tested here.

import { expect, test } from "vitest";
import { IN_FLIGHT, SENDERS, sends } from "../src/sends/sends.js";
import { table } from "../src/sends/table.js";

test("every message is stored and acknowledged", async () => {
  const result = await sends({ messages: 200, rounds: 1 });
  expect(result.rows.map(({ senders, in_flight }) => [senders, in_flight])).toEqual(
    IN_FLIGHT.flatMap((inFlight) => SENDERS.map((senders) => [senders, inFlight])),
  );
  for (const { senders, in_flight, per_second, per_disk_write, ack_p50_ms, ack_p99_ms } of result.rows) {
    const which = `${senders} senders, ${in_flight} in flight`;
    expect(per_second.median, which).toBeGreaterThan(0);
    expect(per_disk_write.median, which).toBeGreaterThan(0);
    expect(ack_p50_ms.median, which).toBeGreaterThan(0);
    expect(ack_p99_ms.median, which).toBeGreaterThanOrEqual(ack_p50_ms.median);
  }
  expect(result.disk_write_p50_ms.median).toBeGreaterThan(0);
  expect(table(result)).toContain("send to ack");
});
