// Formats the result of `bench connect`.

import { columns } from "../run/table.js";
import type { Result, Row } from "./connect.js";

export function table({ browser, rounds, rows, round_trips }: Result): string {
  const lines = (of: readonly Row[]) =>
    columns([
      ["", "imported", "connected", "first message", "lowest – highest", "page", "wire"],
      ...of.map(({ name, imported_ms, connected_ms, first_message_ms, page_bytes, wire_bytes }) => [
        name,
        ...[imported_ms, connected_ms, first_message_ms].map(({ median }) => `${median.toFixed(1)} ms`),
        `${first_message_ms.lowest} – ${first_message_ms.highest}`,
        `${page_bytes.toLocaleString("en")} B`,
        `${wire_bytes.toLocaleString("en")} B`,
      ]),
    ]);
  const groups = groupBy(
    rows,
    ({ load, round_trip_ms }) => `${load}, ${round_trip_ms} ms of round trip added`,
  );
  const loads = groupBy(round_trips, ({ name }) => name);
  return [
    `${rounds} rounds, ${browser}; times since the import began, medians`,
    ...[...groups].map(([title, group]) => `${title}\n${lines(group)}`),
    `round trips until the first message\n${columns([
      ["", "cold", "warm"],
      ...[...loads].map(([name, of]) => [name, ...of.map(({ count }) => count.toFixed(1))]),
    ])}`,
  ].join("\n\n");
}

/** Map.groupBy, which Node has from version 21 on. */
function groupBy<T>(list: readonly T[], key: (one: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const one of list) groups.set(key(one), [...(groups.get(key(one)) ?? []), one]);
  return groups;
}
