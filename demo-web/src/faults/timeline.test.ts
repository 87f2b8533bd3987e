// What the timeline keeps and drops, how round trips are measured, and the summary.

import { beforeEach, expect, it } from "vitest";
import { RoundTrips } from "./roundTrips";
import { Timeline, WINDOW_MS } from "./timeline";
import { roundTripStats, summary } from "./timelineSummary";

let timeline: Timeline;

beforeEach(() => {
  timeline = new Timeline();
});

const connecting = (attempt: number) => ({ status: "connecting", attempt, reason: "" }) as const;
const connected = (transport: "websocket" | "polling") =>
  ({ status: "connected", transport, reason: "" }) as const;

it("records states as bands, and attempts as ticks", () => {
  timeline.state(connecting(1), 0);
  timeline.state(connected("websocket"), 100);
  timeline.state({ ...connected("websocket"), reason: "another" }, 200);
  timeline.state({ status: "waiting", attempt: 1, retryAt: 0, reason: "" }, 300);
  timeline.state(connecting(2), 400);
  timeline.state(connected("polling"), 500);
  expect(timeline.bands.map(({ phase, from, to }) => [phase, from, to])).toEqual([
    ["connecting", 0, 100],
    ["websocket", 100, 300],
    ["waiting", 300, 400],
    ["connecting", 400, 500],
    ["polling", 500, undefined],
  ]);
  expect(timeline.tries).toEqual([0, 400]);
});

it("keeps a fault as one span while its strength changes", () => {
  timeline.inForce([{ kind: "latencyMs", label: "Latency 100 ms" }], 10);
  timeline.inForce(
    [
      { kind: "latencyMs", label: "Latency 200 ms" },
      { kind: "offline", label: "Offline" },
    ],
    20,
  );
  timeline.inForce([{ kind: "offline", label: "Offline" }], 30);
  timeline.inForce(
    [
      { kind: "latencyMs", label: "Latency 50 ms" },
      { kind: "offline", label: "Offline" },
    ],
    40,
  );
  expect(timeline.faults).toEqual([
    { kind: "latencyMs", label: "Latency 200 ms", from: 10, to: 30 },
    { kind: "offline", label: "Offline", from: 20, to: undefined },
    { kind: "latencyMs", label: "Latency 50 ms", from: 40, to: undefined },
  ]);
});

it("drops what ended two minutes ago, and nothing that lasts", () => {
  timeline.state(connected("websocket"), 0);
  timeline.inForce([{ kind: "offline", label: "Offline" }], 0);
  timeline.inForce([], 10);
  timeline.addRoundTrip(5, 0);
  timeline.moment("Dropped", 0);
  timeline.addRoundTrip(6, WINDOW_MS + 20);
  expect([timeline.bands.length, timeline.faults.length, timeline.moments.length]).toEqual([1, 0, 0]);
  expect(timeline.roundTrips).toEqual([{ at: WINDOW_MS + 20, ms: 6 }]);
});

it("measures from the first transmission to the ack, without the time in the outbox", () => {
  const roundTrips = new RoundTrips(timeline);
  roundTrips.sending({ id: "a", status: "queued" }, 0);
  roundTrips.sending({ id: "a", status: "sent" }, 1000);
  roundTrips.sending({ id: "a", status: "queued" }, 2000);
  roundTrips.sending({ id: "a", status: "sent" }, 3000);
  roundTrips.sending({ id: "a", status: "stored" }, 3100);
  roundTrips.sending({ id: "b", status: "sent" }, 0);
  roundTrips.sending({ id: "b", status: "failed" }, 50);
  roundTrips.sending({ id: "restored", status: "stored" }, 60);
  expect(timeline.roundTrips.map(({ ms }) => ms)).toEqual([2100]);
});

it("summarizes it as text", () => {
  expect(summary(timeline, 0)).toBe(
    "In the last two minutes: no connection yet. 0 attempts to connect. No round trips. No faults.",
  );
  timeline.state(connecting(1), 0);
  timeline.state(connected("websocket"), 500);
  for (const ms of [4, 5, 1200]) timeline.addRoundTrip(ms, 600);
  timeline.inForce([{ kind: "blackHole", label: "Black hole" }], 1000);
  timeline.moment("Socket dropped", 2000);
  expect(summary(timeline, 10_500)).toBe(
    "In the last two minutes: connected by WebSocket for 10 s, connecting for 500 ms. 1 attempt to connect. " +
      "3 round trips, half of them within 5 ms, the longest 1.2 s. " +
      "Faults: Black hole (9.5 s, still on); Socket dropped (8.5 s ago).",
  );
  expect(roundTripStats(timeline, 10_500)).toEqual({ count: 3, latest: 1200, median: 5, longest: 1200 });
});
