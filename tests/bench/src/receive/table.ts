// Formats the result of `bench receive`.

import { columns } from "../run/table.js";
import type { Result } from "./receive.js";

export function table(result: Result): string {
  const { rows, ratios, best_peer } = result;
  const count = (value: number) => value.toLocaleString("en");
  const lines = rows.map(({ name, frames_per_second: { median, lowest, highest }, batch, microseconds }) => [
    name,
    count(median),
    `${count(lowest)} – ${count(highest)}`,
    String(batch),
    microseconds.median.toFixed(1),
  ]);
  return [
    `${count(result.messages)} messages of ${result.bytes_per_message} bytes, ${result.rounds} rounds, ${result.browser}\n`,
    columns([
      ["", "messages a second", "lowest – highest", "in a WebSocket message", "µs of main thread each"],
      ...lines,
    ]),
    "",
    columns([
      ["ratio", "", "wanted"],
      ["everwire with its server to the bare loop without", String(ratios.everwire_to_bare), "0.8"],
      ["both with everwire's server", String(ratios.everwire_to_bare_on_a_replay), ""],
      ["both with what it sent, recorded", String(ratios.everwire_to_bare_on_recorded_batches), ""],
      [`everwire to ${best_peer}, the best peer one by one`, String(ratios.everwire_to_best_peer), "8"],
      ["everwire to centrifuge in the same batches", String(ratios.everwire_to_centrifuge_batched), ""],
    ]),
  ].join("\n");
}
