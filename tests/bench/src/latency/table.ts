// Formats the result of `bench latency`.

import { columns } from "../run/table.js";
import type { Result } from "./latency.js";

export function table({ browser, messages, rounds, rows, disk_write_ms, ratios }: Result): string {
  const ms = (value: number) => `${value.toFixed(1)} ms`;
  return [
    `${messages} messages, ${rounds} rounds, ${browser}; from send in one page`,
    columns([
      ["", "others", "to the listener, p50", "p99", "to the screen, p50", "p99"],
      ...rows.map(({ name, crowd, listener_ms, screen_ms }) => [
        name,
        String(crowd),
        ms(listener_ms.p50),
        ms(listener_ms.p99),
        ms(screen_ms.p50),
        ms(screen_ms.p99),
      ]),
    ]),
    columns([
      ["everwire by socket.io, to the screen", "p50", "p99"],
      ["quiet", String(ratios.quiet_p50), String(ratios.quiet_p99)],
      ["with the others", String(ratios.busy_p50), String(ratios.busy_p99)],
    ]),
    `Everwire has stored a message before anybody is given it, and a write to this disk takes ${ms(disk_write_ms.p50)} (p99 ${ms(disk_write_ms.p99)}); this socket.io server stores nothing.`,
  ].join("\n\n");
}
