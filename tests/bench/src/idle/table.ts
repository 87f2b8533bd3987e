// Formats the result of `bench idle`.

import { columns } from "../run/table.js";
import type { Result } from "./idle.js";

export function table({ connections, rounds, rows }: Result): string {
  return [
    `${connections} idle connections, ${rounds} rounds; resident memory of the server's process`,
    columns([
      ["", "KiB a connection", "lowest – highest"],
      ...rows.map(({ name, kib_per_connection: { median, lowest, highest } }) => [
        name,
        median.toFixed(1),
        `${lowest.toFixed(1)} – ${highest.toFixed(1)}`,
      ]),
    ]),
  ].join("\n\n");
}
