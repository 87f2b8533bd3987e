// Formats the result of `bench sends`.

import { columns } from "../run/table.js";
import type { Result } from "./sends.js";

export function table({ messages, rounds, disk_write_p50_ms, disk_write_p99_ms, rows }: Result): string {
  return [
    `${messages} messages, ${rounds} rounds; one write to this disk takes ${disk_write_p50_ms.median} ms (p99 ${disk_write_p99_ms.median} ms)`,
    columns([
      [
        "senders",
        "in flight each",
        "messages a second",
        "a disk write",
        "send to ack, p50",
        "p99",
        "CPU a message",
      ],
      ...rows.map(
        ({ senders, in_flight, per_second, per_disk_write, ack_p50_ms, ack_p99_ms, us_per_send }) => [
          String(senders),
          String(in_flight),
          String(per_second.median),
          per_disk_write.median.toFixed(2),
          `${ack_p50_ms.median.toFixed(1)} ms`,
          `${ack_p99_ms.median.toFixed(1)} ms`,
          `${us_per_send.median} µs`,
        ],
      ),
    ]),
  ].join("\n\n");
}
