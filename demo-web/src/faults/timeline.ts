// What the last two minutes were like: states as bands, tries, round trips, faults. It keeps them and knows nothing of how
// they are drawn.

import type { ConnectionState } from "everwire";
import type { ActiveFault, FaultState } from "./faultState";

/** How far back one can look, in ms. */
export const WINDOW_MS = 120_000;

/** What the connection is, as far as the picture tells it apart. */
export type Phase = "websocket" | "polling" | "connecting" | "waiting" | "offline" | "closed";

/** All times are in ms since 1970. */
export interface Band {
  readonly phase: Phase;
  readonly from: number;
  /** Undefined while it lasts. */
  to: number | undefined;
}

export interface Trip {
  readonly at: number;
  readonly ms: number;
}

export interface FaultSpan {
  readonly kind: keyof FaultState;
  label: string;
  readonly from: number;
  to: number | undefined;
}

/** Something that was over as soon as it happened. */
export interface Moment {
  readonly at: number;
  readonly label: string;
}

export class Timeline {
  #bands: Band[] = [];
  #tries: number[] = [];
  #trips: Trip[] = [];
  #faults: FaultSpan[] = [];
  #moments: Moment[] = [];

  get bands(): readonly Band[] {
    return this.#bands;
  }

  /** When the client began to connect. */
  get tries(): readonly number[] {
    return this.#tries;
  }

  get trips(): readonly Trip[] {
    return this.#trips;
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
    // The same again for another reason is no new band.
    if (last?.phase !== phase || last.to !== undefined) {
      if (last) last.to ??= now;
      this.#bands.push({ phase, from: now, to: undefined });
    }
    this.#forget(now);
  }

  /** A message of this page's own was acknowledged, `ms` after it went to the network for the first time. */
  trip(ms: number, now = Date.now()): void {
    this.#trips.push({ at: now, ms });
    this.#forget(now);
  }

  /** What is in force from now on. */
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
    this.#trips = this.#trips.filter(({ at }) => at > since);
    this.#moments = this.#moments.filter(({ at }) => at > since);
  }
}
