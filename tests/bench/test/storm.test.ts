// The benchmark itself: all clients of both servers come back, and the figures are plausible. How fast, is not tested here.

import { expect, test } from "vitest";
import { NAMES, storm } from "../src/storm/storm.js";
import { table } from "../src/storm/table.js";

test("all clients come back without an error", async () => {
  const result = await storm({ clients: 40, rounds: 1 });
  expect(result.rows.map(({ name }) => name).toSorted()).toEqual([...NAMES].toSorted());
  for (const { name, half_ms, all_ms, peak_rss_mib, errors } of result.rows) {
    expect(all_ms.median, name).toBeGreaterThanOrEqual(half_ms.median);
    expect(all_ms.median, name).toBeGreaterThan(0);
    expect(peak_rss_mib.median, name).toBeGreaterThan(1);
    expect(errors, name).toBe(0);
  }
  expect(table(result)).toContain("99 in 100");
});
