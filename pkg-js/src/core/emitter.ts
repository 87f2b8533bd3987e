// Listeners by event name. One that throws, or whose promise rejects, is reported to the page and skipped; the others
// still run. One that was removed is not called any more, even when that happened a moment ago in the same dispatch.

/** Removes the listener. May be called more than once. */
export type Unsubscribe = () => void;

interface Entry {
  readonly call: (value: never) => unknown;
  live: boolean;
}

/** Tells the page of an error that the application's own code made, as if nothing had caught it. */
export function report(error: unknown): void {
  if (typeof reportError === "function") reportError(error);
  else console.error(error);
}

/** Untyped on purpose: `Client.on` and `Channel.on` give the types. */
export class Emitter {
  // Lists are never changed, only replaced: a dispatch that is under way keeps the one it began with.
  #lists = new Map<string, readonly Entry[]>();

  on(event: string, listener: (value: never) => unknown): Unsubscribe {
    const entry: Entry = { call: listener, live: true };
    this.#lists.set(event, [...(this.#lists.get(event) ?? []), entry]);
    return () => {
      entry.live = false;
      const rest = (this.#lists.get(event) ?? []).filter((other) => other !== entry);
      if (rest.length > 0) this.#lists.set(event, rest);
      else this.#lists.delete(event);
    };
  }

  /** Whether anybody listens. */
  has(event: string): boolean {
    return this.#lists.has(event);
  }

  /** Calls the listeners in the order in which they came. Never throws. */
  emit(event: string, value: unknown): void {
    const list = this.#lists.get(event);
    if (list === undefined) return;
    for (const entry of list) {
      if (!entry.live) continue;
      try {
        const result = entry.call(value as never);
        if (result instanceof Promise) result.catch(report);
      } catch (error) {
        report(error);
      }
    }
  }
}
