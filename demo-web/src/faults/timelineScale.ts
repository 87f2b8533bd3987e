// The geometry of the timeline chart: pixels from times and durations. Pure.

import { WINDOW_MS } from "./timeline";

export const BAND_HEIGHT = 22;
export const TICK_HEIGHT = 7;
export const PLOT_TOP = BAND_HEIGHT + TICK_HEIGHT + 8;
export const PLOT_HEIGHT = 76;
export const LANES_TOP = PLOT_TOP + PLOT_HEIGHT + 10;
export const LANE_HEIGHT = 15;
export const LANE_GAP = 2;
export const AXIS_HEIGHT = 18;

/** The range of the round-trip plot, in ms. */
const FASTEST_MS = 1;
const SLOWEST_MS = 30_000;
/** The grid lines of the plot, in ms. */
export const GRID_MS = [10, 100, 1000, 10_000] as const;

/** Pixels from the left; now is at the right end. */
export function xOf(at: number, now: number, width: number): number {
  const share = 1 - (now - at) / WINDOW_MS;
  return Math.min(1, Math.max(0, share)) * width;
}

/** Pixels from the top of the plot. Logarithmic, so that both 5 ms and 5 s are readable. */
export function yOf(ms: number): number {
  const share = Math.log(Math.max(FASTEST_MS, ms) / FASTEST_MS) / Math.log(SLOWEST_MS / FASTEST_MS);
  return PLOT_HEIGHT * (1 - Math.min(1, share));
}

/** Pauses that are longer than this, in ms, interrupt the line. */
const PAUSE_MS = 3000;

/** The line through the round trips as the `d` of a path, relative to the top of the plot. */
export function roundTripPath(
  roundTrips: readonly { at: number; ms: number }[],
  now: number,
  width: number,
): string {
  const parts: string[] = [];
  let last: number | undefined;
  for (const { at, ms } of roundTrips) {
    if (at < now - WINDOW_MS) continue;
    const joined = last !== undefined && at - last < PAUSE_MS;
    const point = `${xOf(at, now, width).toFixed(1)} ${yOf(ms).toFixed(1)}`;
    // A line of zero length with round caps is a dot.
    parts.push(joined ? `L${point}` : `M${point}L${point}`);
    last = at;
  }
  return parts.join("");
}
