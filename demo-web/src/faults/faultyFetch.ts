// A stand-in for fetch on a bad network. A request can be slow, get lost before or after the server had it, hang without an
// answer, and be cut.

import type { Weather } from "./delayedStream";
import type { Freezer } from "./pageFreezer";

/** What decides about requests. */
export interface RequestWatch {
  readonly freezer: Freezer;
  weather(): Weather;
  /** From 0 up to 1: what is lost. */
  random(): number;
  /** Whether a request that is made now has to fail. */
  refuses(): boolean;
  /** Whether a request that is made now gets no answer. */
  swallows(): boolean;
}

/** One request under way. */
class UnderWay {
  readonly cut = new AbortController();
  /** Its answer gets lost. */
  dark = false;
}

/** What a browser's fetch rejects with when there is no network. */
export function networkError(): TypeError {
  return new TypeError("Failed to fetch");
}

export class Requests {
  readonly #watch: RequestWatch;
  readonly #live = new Set<UnderWay>();

  constructor(watch: RequestWatch) {
    this.#watch = watch;
  }

  /** How many are under way. */
  get count(): number {
    return this.#live.size;
  }

  /** Those under way fail. */
  cut(): void {
    for (const request of [...this.#live]) request.cut.abort(networkError());
  }

  /** Those under way never get an answer. */
  goDark(): void {
    for (const request of this.#live) request.dark = true;
  }

  /** What takes the place of the page's own. Reaches the network in the same turn, unless something holds it up. */
  through(native: typeof fetch): typeof fetch {
    const { freezer } = this.#watch;
    return async (input, init) => {
      if (this.#watch.refuses()) throw networkError();
      const request = new UnderWay();
      const asked = init?.signal ?? (input instanceof Request ? input.signal : undefined);
      const signal = asked ? AbortSignal.any([asked, request.cut.signal]) : request.cut.signal;
      const { latencyMs, loss } = this.#watch.weather();
      const lost = this.#watch.random() < loss;
      const before = lost && this.#watch.random() < 0.5;
      request.dark = this.#watch.swallows();
      this.#live.add(request);
      try {
        if (latencyMs > 0 || freezer.frozen) await this.#wait(latencyMs, signal);
        if (request.dark) await never(signal);
        if (before) throw networkError();
        const response = await native(input, { ...init, signal });
        const back = this.#watch.weather().latencyMs;
        if (back > 0 || freezer.frozen) await this.#wait(back, signal);
        if (request.dark) await never(signal);
        if (lost) throw networkError();
        return response;
      } finally {
        this.#live.delete(request);
      }
    };
  }

  /** Ends after this time, and not while the page is frozen; or with the signal. */
  #wait(ms: number, signal: AbortSignal): Promise<void> {
    const { freezer } = this.#watch;
    const key = {};
    return new Promise((done, failed) => {
      const end = () => {
        stop();
        freezer.forget(key);
        failed(signal.reason);
      };
      const stop = freezer.clock.after(ms, () =>
        freezer.through(key, () => {
          signal.removeEventListener("abort", end);
          done();
        }),
      );
      if (signal.aborted) end();
      else signal.addEventListener("abort", end, { once: true });
    });
  }
}

/** Ends with the signal only. */
function never(signal: AbortSignal): Promise<never> {
  return new Promise((_done, failed) => {
    if (signal.aborted) failed(signal.reason);
    else signal.addEventListener("abort", () => failed(signal.reason), { once: true });
  });
}
