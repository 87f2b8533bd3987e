// One direction of one stream: what is put in comes out later, in the same order. How much later is the weather's affair.

import type { Freezer } from "./pageFreezer";

/** What it is like on the way just now. */
export interface Weather {
  readonly latencyMs: number;
  /** The share of packets that vanish, 0 to 1. */
  readonly loss: number;
}

/** How long TCP waits at least before it repeats what was lost, in ms (RFC 6298 says 1 s; Linux and others 200 ms). */
const REPEAT_MS = 200;
/** So many times in a row at most. */
const REPEATS_MAX = 6;

/**
 * How long a stream stalls for one message. TCP repeats what was lost, so nothing vanishes from a stream: everything behind
 * it waits instead, twice as long each time.
 */
export function stall({ latencyMs, loss }: Weather, random: () => number): number {
  let waited = 0;
  for (let repeats = 0; repeats < REPEATS_MAX && random() < loss; repeats++) {
    waited += Math.max(REPEAT_MS, 2 * latencyMs) * 2 ** repeats;
  }
  return waited;
}

export class Pipe {
  readonly #freezer: Freezer;
  readonly #weather: () => Weather;
  readonly #random: () => number;
  #queue: { due: number; act: () => void }[] = [];
  #cancel: (() => void) | undefined;

  constructor(freezer: Freezer, weather: () => Weather, random: () => number) {
    this.#freezer = freezer;
    this.#weather = weather;
    this.#random = random;
  }

  /** Puts it in; `extraMs` on top of what the weather takes. At once, and synchronously, if nothing holds it up. */
  push(act: () => void, extraMs = 0): void {
    const weather = this.#weather();
    this.#put(act, weather.latencyMs + stall(weather, this.#random) + extraMs);
  }

  /** Puts it in without any delay of its own: it does not come from the other end. */
  inject(act: () => void): void {
    this.#put(act, 0);
  }

  /** What is under way is gone. */
  clear(): void {
    this.#queue = [];
    this.#cancel?.();
    this.#cancel = undefined;
    this.#freezer.forget(this);
  }

  #put(act: () => void, delay: number): void {
    const now = this.#freezer.clock.now();
    const due = now + delay;
    if (due <= now && this.#queue.length === 0 && !this.#freezer.frozen) {
      act();
      return;
    }
    // Behind what is under way, even if it would be faster.
    this.#queue.push({ due, act });
    this.#schedule();
  }

  #schedule(): void {
    const [first] = this.#queue;
    if (this.#cancel !== undefined || first === undefined) return;
    const drain = () => {
      this.#cancel = undefined;
      this.#freezer.through(this, () => this.#drain());
    };
    this.#cancel = this.#freezer.clock.after(Math.max(0, first.due - this.#freezer.clock.now()), drain);
  }

  #drain(): void {
    const now = this.#freezer.clock.now();
    // A timer may be early by a fraction of a millisecond.
    while (this.#queue[0] && this.#queue[0].due <= now + 1) this.#queue.shift()?.act();
    this.#schedule();
  }
}
