// The timeline as numbers and text: for the line below the chart, and for screen readers.

import { duration } from "./faultState";
import { type Phase, type Timeline, WINDOW_MS } from "./timeline";

export interface RoundTripStats {
  readonly count: number;
  /** In ms; undefined if there were none. */
  readonly latest: number | undefined;
  readonly median: number | undefined;
  readonly longest: number | undefined;
}

export function roundTripStats({ roundTrips }: Timeline, now: number): RoundTripStats {
  const seen = roundTrips.filter(({ at }) => at > now - WINDOW_MS).map(({ ms }) => ms);
  const sorted = [...seen].sort((a, b) => a - b);
  return {
    count: seen.length,
    latest: seen.at(-1),
    median: sorted[Math.floor(sorted.length / 2)],
    longest: sorted.at(-1),
  };
}

const PHASES: Readonly<Record<Phase, string>> = {
  websocket: "connected by WebSocket",
  polling: "connected by polling",
  connecting: "connecting",
  waiting: "waiting to retry",
  offline: "offline",
  closed: "closed",
};

/** The summary, in a few sentences. */
export function summary(timeline: Timeline, now: number): string {
  const since = now - WINDOW_MS;
  const overlap = ({ from, to }: { from: number; to: number | undefined }) =>
    Math.max(0, Math.min(to ?? now, now) - Math.max(from, since));

  const spent = new Map<Phase, number>();
  for (const band of timeline.bands) spent.set(band.phase, (spent.get(band.phase) ?? 0) + overlap(band));
  const states = [...spent]
    .filter(([, ms]) => ms > 0)
    .sort(([, a], [, b]) => b - a)
    .map(([phase, ms]) => `${PHASES[phase]} for ${duration(ms)}`);

  const tries = timeline.tries.filter((at) => at > since).length;
  const { count, median, longest } = roundTripStats(timeline, now);
  const faults = [
    ...timeline.faults
      .filter((span) => overlap(span) > 0 || span.to === undefined)
      .map(
        (span) => `${span.label} (${duration(overlap(span))}${span.to === undefined ? ", still on" : ""})`,
      ),
    ...timeline.moments
      .filter(({ at }) => at > since)
      .map(({ at, label }) => `${label} (${duration(now - at)} ago)`),
  ];
  return [
    `In the last two minutes: ${states.join(", ") || "no connection yet"}.`,
    `${tries} ${tries === 1 ? "attempt" : "attempts"} to connect.`,
    median === undefined || longest === undefined
      ? "No round trips."
      : `${count} round trips, half of them within ${duration(median)}, the longest ${duration(longest)}.`,
    faults.length > 0 ? `Faults: ${faults.join("; ")}.` : "No faults.",
  ].join(" ");
}
