// One direction of a stream: data comes out later, in the same order, as the network conditions require.

import type { PageFreezer } from "./pageFreezer";

/** The current state of the network. */
export interface NetworkConditions {
  readonly latencyMs: number;
  /** The share of lost packets, 0 to 1. */
  readonly loss: number;
}

/** TCP's minimum retransmission timeout, in ms (1 s in RFC 6298; 200 ms on Linux and others). */
const RETRANSMISSION_MS = 200;
/** Maximum number of retransmissions. */
const MAX_RETRANSMISSIONS = 6;

/**
 * How long one message delays the stream. TCP retransmits lost packets, so nothing is lost, but everything behind
 * waits, twice as long for each retransmission.
 */
export function retransmissionDelay({ latencyMs, loss }: NetworkConditions, random: () => number): number {
  let delay = 0;
  for (let attempt = 0; attempt < MAX_RETRANSMISSIONS && random() < loss; attempt++) {
    delay += Math.max(RETRANSMISSION_MS, 2 * latencyMs) * 2 ** attempt;
  }
  return delay;
}

export class DelayedStream {
  readonly #freezer: PageFreezer;
  readonly #conditions: () => NetworkConditions;
  readonly #random: () => number;
  #queue: { due: number; act: () => void }[] = [];
  #cancel: (() => void) | undefined;

  constructor(freezer: PageFreezer, conditions: () => NetworkConditions, random: () => number) {
    this.#freezer = freezer;
    this.#conditions = conditions;
    this.#random = random;
  }

  /** Adds an item; `extraMs` is added to the delay of the network. Runs it synchronously if there is no delay. */
  push(act: () => void, extraMs = 0): void {
    const conditions = this.#conditions();
    this.#put(act, conditions.latencyMs + retransmissionDelay(conditions, this.#random) + extraMs);
  }

  /** Adds an item without a delay: it does not come from the network. */
  inject(act: () => void): void {
    this.#put(act, 0);
  }

  /** Discards everything in flight. */
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
    // Queued behind the items in flight, so that nothing overtakes.
    this.#queue.push({ due, act });
    this.#schedule();
  }

  #schedule(): void {
    const [first] = this.#queue;
    if (this.#cancel !== undefined || first === undefined) return;
    const drain = () => {
      this.#cancel = undefined;
      this.#freezer.run(this, () => this.#drain());
    };
    this.#cancel = this.#freezer.clock.after(Math.max(0, first.due - this.#freezer.clock.now()), drain);
  }

  #drain(): void {
    const now = this.#freezer.clock.now();
    // Timers may fire a fraction of a millisecond early.
    while (this.#queue[0] && this.#queue[0].due <= now + 1) this.#queue.shift()?.act();
    this.#schedule();
  }
}
