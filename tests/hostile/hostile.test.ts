// A short version of `cargo xtask bench hostile`: the attacks that once closed other clients, stopped the server for them, or
// took its memory. Times are compared generously, because other tests run beside this one; the benchmark has the real limit.

import { expect, test } from "vitest";
import { SERVER } from "../harness/server";
import { attack } from "./run.js";

const options = { server: SERVER, honest: 12, quietMs: 2_000, attackMs: 4_000 };

test.each([
  "subscribe",
  "subscribe_presence",
  "subscribe_own",
  "idle",
  "questions",
  "sessions",
  "sockets",
  "chats",
  "chat_changes",
  "pipelining",
  "slow_websockets",
  "unsigned",
  "nothing",
  "fragments",
  "hoard",
  "documents",
])("others go on beside an attacker: %s", async (name) => {
  const result = await attack(name, options);
  expect(result.others_closed).toBe(0);
  expect(result.peak_rss_mib).toBeLessThan(512);
  expect(result.others_send_p99_ms).toBeLessThan(Math.max(10 * result.quiet_send_p99_ms, 3_000));
});
