// Freezes the page, as far as a page can do that to itself: timers and network events wait, and run late when it thaws,
// in the order in which they became due, after the events that a browser fires. User input and React are not affected,
// so that the visitor can watch. The clock runs on, as in a tab that the browser froze.

/** The parts of `window` that it replaces or uses. */
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

/** The page's original timers. Everything outside of the tab, such as the network, uses them. */
export interface Clock {
  now(): number;
  /** Calls `act` in `ms`; returns a function that cancels it. */
  after(ms: number, act: () => void): () => void;
}

export class PageFreezer {
  #frozen = false;
  #page: FreezablePage | undefined;
  #clock: Clock = { now: () => 0, after: () => () => undefined };
  /** Callbacks that became due while frozen, by key. */
  readonly #held = new Map<unknown, () => void>();
  #releasing = false;
  #dispatching = false;

  get frozen(): boolean {
    return this.#frozen;
  }

  /** A clock that is not frozen. */
  get clock(): Clock {
    return this.#clock;
  }

  /** The number of callbacks that wait. */
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

  /** Runs `act` now, or when the page thaws. `key` identifies it: one callback per key, and for `forget`. */
  run(key: unknown, act: () => void): void {
    if (this.#frozen) this.#held.set(key, act);
    else act();
  }

  /** Cancels a waiting callback. */
  forget(key: unknown): void {
    this.#held.delete(key);
  }

  freeze(): void {
    if (this.#frozen) return;
    // Browsers freeze hidden pages only, so it is hidden first.
    const shown = this.#page?.document.hidden === false;
    this.#frozen = true;
    if (shown) this.#dispatch("visibilitychange");
    this.#dispatch("freeze");
  }

  thaw(): void {
    if (!this.#frozen) return;
    this.#frozen = false;
    this.#dispatch("resume");
    if (this.#page?.document.hidden === false) this.#dispatch("visibilitychange");
    this.#release();
  }

  /**
   * Runs each callback in a task of its own, as a browser does: if one throws or cancels another, the rest is not
   * affected.
   */
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
      const id = start(() => this.run(id, () => handler(...rest)), ms);
      return id;
    };
  }

  #dispatch(type: string): void {
    this.#dispatching = true;
    this.#page?.document.dispatchEvent(new Event(type, { bubbles: true }));
    this.#dispatching = false;
  }

  /** Makes the page hidden while it is frozen, and suppresses the browser's own visibility events. */
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
        if (this.#frozen && !this.#dispatching) event.stopImmediatePropagation();
      },
      true,
    );
  }
}
