// The timeline of the last two minutes as a chart, the round trips as numbers, and a summary as text for screen
// readers.
//
// For tests: `data-testid="round-trips"` with `data-count`, `data-latest` and `data-median` (ms), `timeline-band` with
// `data-phase`, `timeline-attempt`, `timeline-fault` with `data-kind`, `timeline-moment`.

import { type RefObject, useEffect, useMemo, useRef, useState } from "react";
import { duration } from "./faultState";
import type { Clock } from "./pageFreezer";
import type { FaultSpan, Phase, Timeline } from "./timeline";
import { WINDOW_MS } from "./timeline";
import {
  AXIS_HEIGHT,
  BAND_HEIGHT,
  GRID_MS,
  LANE_GAP,
  LANE_HEIGHT,
  LANES_TOP,
  PLOT_TOP,
  roundTripPath,
  TICK_HEIGHT,
  xOf,
  yOf,
} from "./timelineScale";
import { roundTripStats, summary } from "./timelineSummary";

/** How often the chart is rendered, in ms. */
const RENDER_MS = 400;
/** How often the text changes, in ms: slow enough to be read out. */
const SUMMARY_MS = 5000;

const PHASES: Readonly<Record<Phase, string>> = {
  websocket: "WebSocket",
  polling: "Polling",
  connecting: "Connecting",
  waiting: "Waiting",
  offline: "Offline",
  closed: "Closed",
};

interface Props {
  timeline: Timeline;
  clock: Clock;
}

export function TimelineView({ timeline, clock }: Props) {
  const now = useNow(clock);
  const picture = useRef<HTMLDivElement>(null);
  const width = useWidth(picture);
  const roundTrips = roundTripStats(timeline, now);
  // The summary is computed again when this changes.
  const summarizedAt = Math.floor(now / SUMMARY_MS) * SUMMARY_MS;
  const sentences = useMemo(
    () => summary(timeline, Math.max(summarizedAt, Date.now())),
    [timeline, summarizedAt],
  );
  return (
    <section className="timeline" id="lab-timeline" aria-labelledby="timeline-title">
      <h3 id="timeline-title">The last two minutes</h3>
      <div ref={picture} className="timeline-picture">
        {width > 0 && <Picture timeline={timeline} now={now} width={width} />}
      </div>
      <p id="timeline-words" className="visually-hidden">
        {sentences} The event log lists every change with its reason.
      </p>
      <Legend />
      <p
        className="timeline-numbers"
        data-testid="round-trips"
        data-count={roundTrips.count}
        data-latest={roundTrips.latest}
        data-median={roundTrips.median}
      >
        {roundTrips.latest === undefined ||
        roundTrips.median === undefined ||
        roundTrips.longest === undefined ? (
          "Send a message or start the automatic traffic to see round trips."
        ) : (
          <>
            Send to ack: <b>{duration(roundTrips.latest)}</b> now, <b>{duration(roundTrips.median)}</b>{" "}
            typically, <b>{duration(roundTrips.longest)}</b> at most
          </>
        )}
      </p>
    </section>
  );
}

function Legend() {
  return (
    <ul className="legend">
      <li data-swatch="websocket">WebSocket</li>
      <li data-swatch="polling">Polling</li>
      <li data-swatch="waiting">Connecting</li>
      <li data-swatch="offline">No connection</li>
      <li data-swatch="attempt">Attempt</li>
      <li data-swatch="round-trip">Round trip</li>
    </ul>
  );
}

interface PictureProps {
  timeline: Timeline;
  now: number;
  width: number;
}

function Picture({ timeline, now, width }: PictureProps) {
  const since = now - WINDOW_MS;
  const x = (at: number) => xOf(at, now, width);
  const lanes = lanesOf(timeline.faults.filter(({ to }) => to === undefined || to > since));
  const lanesHeight = Math.max(1, lanes.length) * (LANE_HEIGHT + LANE_GAP);
  const axis = LANES_TOP + lanesHeight;
  const height = axis + AXIS_HEIGHT;
  return (
    <svg
      width={width}
      height={height}
      viewBox={`0 0 ${width} ${height}`}
      role="img"
      aria-label="Chart of the last two minutes"
      aria-describedby="timeline-words"
    >
      <defs>
        <pattern
          id="timeline-stripes"
          width="7"
          height="7"
          patternUnits="userSpaceOnUse"
          patternTransform="rotate(45)"
        >
          <rect className="stripe-under" width="7" height="7" />
          <rect className="stripe" width="3" height="7" />
        </pattern>
        <clipPath id="timeline-bands">
          <rect width={width} height={BAND_HEIGHT} rx="5" />
        </clipPath>
      </defs>

      <rect className="band-ground" width={width} height={BAND_HEIGHT} rx="5" />
      <g clipPath="url(#timeline-bands)">
        {timeline.bands.map(({ phase, from, to }) => {
          const left = x(from);
          // Even the shortest state is visible.
          const wide = Math.max(1.5, x(to ?? now) - left);
          return (
            <g key={from + phase} data-testid="timeline-band" data-phase={phase}>
              <rect className="band" data-phase={phase} x={left} width={wide} height={BAND_HEIGHT} />
              {wide > PHASES[phase].length * 7 + 10 && (
                <text className="band-name" data-phase={phase} x={left + 7} y={BAND_HEIGHT / 2 + 4}>
                  {PHASES[phase]}
                </text>
              )}
            </g>
          );
        })}
      </g>
      {timeline.tries
        .filter((at) => at > since)
        .map((at) => (
          <path
            key={at}
            className="attempt"
            data-testid="timeline-attempt"
            d={`M${x(at).toFixed(1)} ${BAND_HEIGHT + 1}l3 ${TICK_HEIGHT}h-6z`}
          />
        ))}

      <g transform={`translate(0 ${PLOT_TOP})`}>
        {GRID_MS.map((ms) => (
          <g key={ms}>
            <line className="grid" x1="0" x2={width} y1={yOf(ms)} y2={yOf(ms)} />
            <text className="grid-name" x={0} y={yOf(ms) - 3}>
              {duration(ms)}
            </text>
          </g>
        ))}
        <path className="round-trips" d={roundTripPath(timeline.roundTrips, now, width)} />
      </g>

      {lanes.map((lane, row) => {
        const y = LANES_TOP + row * (LANE_HEIGHT + LANE_GAP);
        return lane.map(({ kind, label, from, to }, index) => {
          const left = x(from);
          const right = to === undefined ? width : x(to);
          const next = lane[index + 1];
          const wanted = label.length * 6.2 + 12;
          // The label goes inside the bar, otherwise after it, otherwise before it.
          const name =
            right - left > wanted
              ? ({ x: left + 6, anchor: "start" } as const)
              : (next ? x(next.from) : width) - right > wanted
                ? ({ x: right + 5, anchor: "start" } as const)
                : !next && index === 0
                  ? ({ x: left - 5, anchor: "end" } as const)
                  : undefined;
          return (
            <g key={from + kind} data-testid="timeline-fault" data-kind={kind}>
              <rect
                className="lane"
                x={left}
                y={y}
                width={Math.max(2, right - left)}
                height={LANE_HEIGHT}
                rx="3"
              />
              {name && (
                <text className="lane-name" x={name.x} y={y + LANE_HEIGHT / 2 + 4} textAnchor={name.anchor}>
                  {label}
                </text>
              )}
            </g>
          );
        });
      })}
      {timeline.moments
        .filter(({ at }) => at > since)
        .map(({ at, label }, index, all) => {
          const next = all[index + 1];
          const space = (next ? x(next.at) : width) - x(at);
          return (
            <g key={at} data-testid="timeline-moment" className="moment">
              <line x1={x(at)} x2={x(at)} y1={0} y2={LANES_TOP - 8} />
              <path d={`M${x(at).toFixed(1)} ${LANES_TOP - 13}l5 5-5 5-5-5z`} />
              {space > label.length * 6.2 + 12 && (
                <text className="lane-name" x={x(at) + 8} y={LANES_TOP - 4}>
                  {label}
                </text>
              )}
            </g>
          );
        })}

      <line className="axis" x1="0" x2={width} y1={axis + 1.5} y2={axis + 1.5} />
      <text className="axis-name" x="0" y={height - 2}>
        2 min ago
      </text>
      <text className="axis-name" x={width / 2} y={height - 2} textAnchor="middle">
        1 min
      </text>
      <text className="axis-name" x={width} y={height - 2} textAnchor="end">
        now
      </text>
    </svg>
  );
}

/** One lane for each kind of fault. */
function lanesOf(spans: readonly FaultSpan[]): FaultSpan[][] {
  const lanes = new Map<string, FaultSpan[]>();
  for (const span of spans) lanes.set(span.kind, [...(lanes.get(span.kind) ?? []), span]);
  return [...lanes.values()];
}

/** The current time, updated several times a second, even while the page is frozen. */
function useNow(clock: Clock): number {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    let stop: () => void;
    const tick = () => {
      setNow(Date.now());
      stop = clock.after(RENDER_MS, tick);
    };
    tick();
    return () => stop();
  }, [clock]);
  return now;
}

function useWidth(ref: RefObject<HTMLElement | null>): number {
  const [width, setWidth] = useState(0);
  useEffect(() => {
    const element = ref.current;
    if (!element) return;
    const observer = new ResizeObserver(() => setWidth(Math.floor(element.clientWidth)));
    observer.observe(element);
    return () => observer.disconnect();
  }, [ref]);
  return width;
}
