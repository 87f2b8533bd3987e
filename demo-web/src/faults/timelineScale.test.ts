// The geometry of the chart: the ends of its scales, and gaps in its line.

import { expect, it } from "vitest";
import { WINDOW_MS } from "./timeline";
import { PLOT_HEIGHT, roundTripPath, xOf, yOf } from "./timelineScale";

it("puts now at the right end, and older times at the left", () => {
  expect(xOf(WINDOW_MS, WINDOW_MS, 300)).toBe(300);
  expect(xOf(WINDOW_MS / 2, WINDOW_MS, 300)).toBe(150);
  expect(xOf(-5, WINDOW_MS, 300)).toBe(0);
});

it("puts fast at the bottom and slow at the top, on a logarithmic scale", () => {
  expect(yOf(0)).toBe(PLOT_HEIGHT);
  expect(yOf(1)).toBe(PLOT_HEIGHT);
  expect(yOf(99_000)).toBe(0);
  expect(yOf(10) - yOf(100)).toBeCloseTo(yOf(1000) - yOf(10_000));
});

it("interrupts the line where nothing was measured", () => {
  const at = (seconds: number) => ({ at: seconds * 1000, ms: 1 });
  expect(roundTripPath([at(0), at(1), at(10)], WINDOW_MS, 120)).toBe(
    "M0.0 76.0L0.0 76.0L1.0 76.0M10.0 76.0L10.0 76.0",
  );
});
