// Formats the result of `bench storm`.

import { columns } from "../run/table.js";
import type { Result } from "./storm.js";

export function table({ clients, rounds, rows }: Result): string {
  return [
    `${clients} clients come back to a server that was killed, ${rounds} rounds; medians, from the time when it listens again`,
    columns([
      ["", "half are back", "99 in 100", "all", "peak memory", "CPU", "errors"],
      ...rows.map(({ name, half_ms, p99_ms, all_ms, peak_rss_mib, cpu_seconds, errors }) => [
        name,
        `${half_ms.median} ms`,
        `${p99_ms.median} ms`,
        `${all_ms.median} ms`,
        `${peak_rss_mib.median} MiB`,
        `${cpu_seconds.median} s`,
        String(errors),
      ]),
    ]),
  ].join("\n\n");
}
