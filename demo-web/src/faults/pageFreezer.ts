// A tab that is frozen, as far as a page can do that to itself: timers and what comes from the network wait, and when it
// thaws they run late, in the order in which they became due, after the events that a browser fires. Clicks and React go on,
// so that one can watch. The clock goes on too, as it does for a tab that the browser froze.

/** What it replaces or uses of a browser's window. */
export interface FreezablePage {
  setTimeout: (handler: TimerHandler, ms?: number, ...rest: unknown[]) => number;
  clearTimeout: (id: number | undefined) => void;
  setInterval: (handler: TimerHandler, ms?: number, ...rest: unknown[]) => number;
  clearInterval: (id: number | undefined) => void;
  document: {
    readonly hidden: boolean;
    dispatchEvent(event: Event): boolean;
    addEventListener(type: string, listener: (event: Event) => void, capture: boolean): void;
  };
}

/** The page's own timers, as they were before. What is outside of the tab, such as the network, goes by them. */
export interface Clock {
  now(): number;
  /** Calls `act` in `ms`; returns what prevents it. */
  after(ms: number, act: () => void): () => void;
}

export class Freezer {
  #frozen = false;
  #page: FreezablePage | undefined;
  #clock: Clock = { now: () => 0, after: () => () => undefined };
  /** What became due while frozen, and who would rather not. */
  readonly #held = new Map<unknown, () => void>();
  #releasing = false;
  #telling = false;

  get frozen(): boolean {
    return this.#frozen;
  }

  /** Not held back by freezing. */
  get clock(): Clock {
    return this.#clock;
  }

  /** How many things wait for the thaw. */
  get held(): number {
    return this.#held.size;
  }

  install(page: FreezablePage): void {
    this.#page = page;
    const start = page.setTimeout.bind(page);
    const stop = page.clearTimeout.bind(page);
    this.#clock = {
      now: () => performance.now(),
      after(ms, act) {
        const id = start(act, ms);
        return () => stop(id);
      },
    };
    page.setTimeout = this.#timer(start);
    page.setInterval = this.#timer(page.setInterval.bind(page));
    const forget = (clear: (id: number | undefined) => void) => (id: number | undefined) => {
      this.forget(id);
      clear(id);
    };
    page.clearTimeout = forget(stop);
    page.clearInterval = forget(page.clearInterval.bind(page));
    this.#hide(page.document);
  }

  /** Does it now, or at the thaw. `key` names it: once per key, and for `forget`. */
  through(key: unknown, act: () => void): void {
    if (this.#frozen) this.#held.set(key, act);
    else act();
  }

  /** It is not wanted any more. */
  forget(key: unknown): void {
    this.#held.delete(key);
  }

  freeze(): void {
    if (this.#frozen) return;
    // Only a hidden page is frozen, so it is hidden first.
    const shown = this.#page?.document.hidden === false;
    this.#frozen = true;
    if (shown) this.#tell("visibilitychange");
    this.#tell("freeze");
  }

  thaw(): void {
    if (!this.#frozen) return;
    this.#frozen = false;
    this.#tell("resume");
    if (this.#page?.document.hidden === false) this.#tell("visibilitychange");
    this.#release();
  }

  /** Each in a task of its own, as the browser would: one that throws or forgets another must not touch the rest. */
  #release(): void {
    if (this.#releasing) return;
    this.#releasing = true;
    this.#clock.after(0, () => {
      this.#releasing = false;
      if (this.#frozen) return;
      for (const [key, act] of this.#held) {
        this.#held.delete(key);
        this.#release();
        act();
        return;
      }
    });
  }

  #timer(start: FreezablePage["setTimeout"]): FreezablePage["setTimeout"] {
    return (handler, ms, ...rest) => {
      if (typeof handler !== "function") return start(handler, ms);
      const id = start(() => this.through(id, () => handler(...rest)), ms);
      return id;
    };
  }

  #tell(type: string): void {
    this.#telling = true;
    this.#page?.document.dispatchEvent(new Event(type, { bubbles: true }));
    this.#telling = false;
  }

  /** Makes the page hidden while it is frozen, and keeps the browser's own events from saying otherwise. */
  #hide(document: FreezablePage["document"]): void {
    const prototype = Object.getPrototypeOf(document);
    const real = () => Boolean(Reflect.get(prototype, "hidden", document));
    const get = () => this.#frozen || real();
    Object.defineProperty(document, "hidden", { configurable: true, get });
    Object.defineProperty(document, "visibilityState", {
      configurable: true,
      get: () => (get() ? "hidden" : "visible"),
    });
    document.addEventListener(
      "visibilitychange",
      (event) => {
        if (this.#frozen && !this.#telling) event.stopImmediatePropagation();
      },
      true,
    );
  }
}
