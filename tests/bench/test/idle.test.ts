// The benchmark itself: all clients connect to each server and stay, and the figures are plausible. How much memory it is, is not
// tested here.

import { expect, test } from "vitest";
import { NAMES } from "../src/idle/contenders.js";
import { idle } from "../src/idle/idle.js";
import { table } from "../src/idle/table.js";

test("idle clients stay connected, and need memory", async () => {
  const result = await idle({ connections: 400, rounds: 1 });
  expect(result.rows.map(({ name }) => name)).toEqual(NAMES);
  for (const { name, kib_per_connection } of result.rows) {
    // The garbage collector of Node may give back more than so few clients need.
    if (name.startsWith("everwire")) expect(kib_per_connection.median, name).toBeGreaterThan(0);
    expect(kib_per_connection.median, name).toBeLessThan(1_000);
  }
  expect(table(result)).toContain("KiB a connection");
});
