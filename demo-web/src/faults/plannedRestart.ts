// How a planned restart of the server looks to a client: the words of protocol.md, and the times of a quick restart. The
// fault layer plays it, because the reference server cannot be told by a page to go.

import type { Restart } from "./faultLayer";

/** The client is asked to come back between 1.5 and 2.5 s after the words; by then the server is there again. */
export const PLANNED_RESTART: Restart = {
  text: JSON.stringify([{ type: "goaway", delay_ms: 1500, spread_ms: 1000, reason: "restart (simulated)" }]),
  code: 1001,
  closeMs: 300,
  awayMs: 1000,
};
