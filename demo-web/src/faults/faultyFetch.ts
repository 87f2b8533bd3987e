// A replacement for fetch with network faults: a request can be slow, get lost before or after it reached the server,
// hang without a response, and be cut.

import type { NetworkConditions } from "./delayedStream";
import type { PageFreezer } from "./pageFreezer";

/** What the fault layer decides about requests. */
export interface FetchHooks {
  readonly freezer: PageFreezer;
  conditions(): NetworkConditions;
  /** In [0, 1): decides what is lost. */
  random(): number;
  /** Whether new requests fail. */
  refuses(): boolean;
  /** Whether new requests get no response. */
  dropsSilently(): boolean;
}

/** A pending request. */
class PendingRequest {
  readonly cut = new AbortController();
  /** Its response gets lost. */
  dark = false;
}

/** The error of a browser's fetch when the network fails. */
export function networkError(): TypeError {
  return new TypeError("Failed to fetch");
}

export class FaultyFetch {
  readonly #hooks: FetchHooks;
  readonly #live = new Set<PendingRequest>();

  constructor(hooks: FetchHooks) {
    this.#hooks = hooks;
  }

  /** The number of pending requests. */
  get count(): number {
    return this.#live.size;
  }

  /** Makes pending requests fail. */
  cut(): void {
    for (const request of [...this.#live]) request.cut.abort(networkError());
  }

  /** Pending requests never get a response. */
  silence(): void {
    for (const request of this.#live) request.dark = true;
  }

  /** Wraps the page's fetch. Without a delay, the request starts synchronously. */
  wrap(native: typeof fetch): typeof fetch {
    const { freezer } = this.#hooks;
    return async (input, init) => {
      if (this.#hooks.refuses()) throw networkError();
      const request = new PendingRequest();
      const asked = init?.signal ?? (input instanceof Request ? input.signal : undefined);
      const signal = asked ? AbortSignal.any([asked, request.cut.signal]) : request.cut.signal;
      const { latencyMs, loss } = this.#hooks.conditions();
      const lost = this.#hooks.random() < loss;
      const before = lost && this.#hooks.random() < 0.5;
      request.dark = this.#hooks.dropsSilently();
      this.#live.add(request);
      try {
        if (latencyMs > 0 || freezer.frozen) await this.#wait(latencyMs, signal);
        if (request.dark) await never(signal);
        if (before) throw networkError();
        const response = await native(input, { ...init, signal });
        const back = this.#hooks.conditions().latencyMs;
        if (back > 0 || freezer.frozen) await this.#wait(back, signal);
        if (request.dark) await never(signal);
        if (lost) throw networkError();
        return response;
      } finally {
        this.#live.delete(request);
      }
    };
  }

  /** Waits for this time, and longer while the page is frozen; rejects when the signal aborts. */
  #wait(ms: number, signal: AbortSignal): Promise<void> {
    const { freezer } = this.#hooks;
    const key = {};
    return new Promise((done, failed) => {
      const end = () => {
        stop();
        freezer.forget(key);
        failed(signal.reason);
      };
      const stop = freezer.clock.after(ms, () =>
        freezer.run(key, () => {
          signal.removeEventListener("abort", end);
          done();
        }),
      );
      if (signal.aborted) end();
      else signal.addEventListener("abort", end, { once: true });
    });
  }
}

/** Rejects when the signal aborts, and never resolves. */
function never(signal: AbortSignal): Promise<never> {
  return new Promise((_done, failed) => {
    if (signal.aborted) failed(signal.reason);
    else signal.addEventListener("abort", () => failed(signal.reason), { once: true });
  });
}
