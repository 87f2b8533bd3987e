// Formats the result of `bench fanout`.

import { columns } from "../run/table.js";
import type { Result } from "./fanout.js";

export function table({ receivers, rounds, rows, ratios }: Result): string {
  const thousands = (value: number) => `${Math.round(value / 1_000)} k`;
  return [
    `${receivers} receivers, ${rounds} rounds; CPU time of the server's process`,
    columns([
      ["", "", "deliveries per CPU-second", "lowest – highest", "µs a delivery", "in the kernel"],
      ...rows.map(({ name, pace, deliveries_per_cpu_second: speed, us_per_delivery, us_in_kernel }) => [
        name,
        pace,
        thousands(speed.median),
        `${thousands(speed.lowest)} – ${thousands(speed.highest)}`,
        us_per_delivery.toFixed(2),
        us_in_kernel.toFixed(2),
      ]),
    ]),
    columns([
      ["everwire by ws", "measured", "target"],
      ["one at a time", String(ratios.one_at_a_time), "1.3"],
      ["full speed", String(ratios.full_speed), "6"],
    ]),
    "Everwire has stored a message before anybody is given it; ws only passes it on.",
  ].join("\n\n");
}
