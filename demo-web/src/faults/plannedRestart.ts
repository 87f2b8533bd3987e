// A planned restart as a client observes it: the frames of protocol.md, with the timing of a quick restart. Simulated
// by the fault layer, because a page cannot restart the reference server.

import type { Restart } from "./faultLayer";

/** Clients are asked to return 1.5 to 2.5 s after the announcement, when the server is reachable again. */
export const PLANNED_RESTART: Restart = {
  text: JSON.stringify([{ type: "goaway", delay_ms: 1500, spread_ms: 1000, reason: "restart (simulated)" }]),
  code: 1001,
  closeMs: 300,
  awayMs: 1000,
};
