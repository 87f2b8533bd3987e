// `cargo xtask bench hostile`: every attack, or those that are named, against the release server beside 50 honest clients.

import { parseArgs } from "node:util";
import { ATTACKS } from "./attacks.js";
import { attack, type Result } from "./run.js";

const { values, positionals } = parseArgs({
  options: { json: { type: "boolean", default: false }, seconds: { type: "string", default: "8" } },
  allowPositionals: true,
});
const server = process.env.EVERWIRE_SERVER;
if (server === undefined) throw new Error("EVERWIRE_SERVER names the server to attack.");
const names = positionals.length > 0 ? positionals : Object.keys(ATTACKS);
const unknown = names.filter((name) => !(name in ATTACKS));
if (unknown.length > 0)
  throw new Error(`Unknown: ${unknown.join(", ")}. Attacks: ${Object.keys(ATTACKS).join(", ")}`);
const attackMs = Number(values.seconds) * 1000;
const results: Result[] = [];
for (const name of names) {
  const result = await attack(name, { server, honest: 50, quietMs: 4_000, attackMs });
  results.push(result);
  if (!values.json) console.log(row(result));
}
if (values.json) console.log(JSON.stringify({ attacks: results }));

function row(result: Result): string {
  const { others_send_p99_ratio: sends, others_subscribe_p99_ratio: subscribes } = result;
  const times = `send ${result.others_send_p99_ms} ms (x${sends}), subscribe x${subscribes}`;
  return `${result.attack.padEnd(20)} ${times.padEnd(40)} closed ${result.others_closed}, ${result.peak_rss_mib} MiB`;
}
