// The data of the timeline: connection states, attempts, round trips and faults of the last two minutes. Independent of
// how they are drawn.

import type { ConnectionState } from "everwire";
import type { ActiveFault, FaultState } from "./faultState";

/** The length of the timeline, in ms. */
export const WINDOW_MS = 120_000;

/** The connection states that the chart distinguishes. */
export type Phase = "websocket" | "polling" | "connecting" | "waiting" | "offline" | "closed";

/** All times are in ms since 1970. */
export interface Band {
  readonly phase: Phase;
  readonly from: number;
  /** Undefined while it lasts. */
  to: number | undefined;
}

export interface RoundTrip {
  readonly at: number;
  readonly ms: number;
}

export interface FaultSpan {
  readonly kind: keyof FaultState;
  label: string;
  readonly from: number;
  to: number | undefined;
}

/** A fault without a duration. */
export interface Moment {
  readonly at: number;
  readonly label: string;
}

export class Timeline {
  #bands: Band[] = [];
  #tries: number[] = [];
  #roundTrips: RoundTrip[] = [];
  #faults: FaultSpan[] = [];
  #moments: Moment[] = [];

  get bands(): readonly Band[] {
    return this.#bands;
  }

  /** When the client started an attempt to connect. */
  get tries(): readonly number[] {
    return this.#tries;
  }

  get roundTrips(): readonly RoundTrip[] {
    return this.#roundTrips;
  }

  get faults(): readonly FaultSpan[] {
    return this.#faults;
  }

  get moments(): readonly Moment[] {
    return this.#moments;
  }

  state(state: ConnectionState, now = Date.now()): void {
    const phase = state.status === "connected" ? state.transport : state.status;
    if (phase === "connecting") this.#tries.push(now);
    const last = this.#bands.at(-1);
    // The same state for another reason continues the band.
    if (last?.phase !== phase || last.to !== undefined) {
      if (last) last.to ??= now;
      this.#bands.push({ phase, from: now, to: undefined });
    }
    this.#forget(now);
  }

  /** A message of this page was acked `ms` after it was first sent. */
  addRoundTrip(ms: number, now = Date.now()): void {
    this.#roundTrips.push({ at: now, ms });
    this.#forget(now);
  }

  /** Sets the faults that are active from now on. */
  inForce(active: readonly ActiveFault[], now = Date.now()): void {
    for (const span of this.#faults) {
      if (span.to === undefined && !active.some(({ kind }) => kind === span.kind)) span.to = now;
    }
    for (const { kind, label } of active) {
      const span = this.#faults.find((span) => span.kind === kind && span.to === undefined);
      if (span) span.label = label;
      else this.#faults.push({ kind, label, from: now, to: undefined });
    }
    this.#forget(now);
  }

  moment(label: string, now = Date.now()): void {
    this.#moments.push({ at: now, label });
    this.#forget(now);
  }

  #forget(now: number): void {
    const since = now - WINDOW_MS;
    const seen = ({ to }: { to: number | undefined }) => to === undefined || to > since;
    this.#bands = this.#bands.filter(seen);
    this.#faults = this.#faults.filter(seen);
    this.#tries = this.#tries.filter((at) => at > since);
    this.#roundTrips = this.#roundTrips.filter(({ at }) => at > since);
    this.#moments = this.#moments.filter(({ at }) => at > since);
  }
}
