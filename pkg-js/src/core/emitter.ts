// Listeners by event name. A listener that throws, or whose promise rejects, is reported to the page and skipped; the others
// still run. A removed listener is not called again, even if it was removed during the same dispatch.

/** Removes the listener. May be called more than once. */
export type Unsubscribe = () => void;

interface Entry {
  readonly call: (value: never) => unknown;
  live: boolean;
}

/** Reports an error in the application's code to the page, as if it had not been caught. */
export function report(error: unknown): void {
  if (typeof reportError === "function") reportError(error);
  else console.error(error);
}

/** Untyped on purpose: `Client.on` and `Channel.on` add the types. */
export class Emitter {
  // Lists are replaced, never changed: a running dispatch keeps the list that it began with.
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

  /** Whether there is a listener. */
  has(event: string): boolean {
    return this.#lists.has(event);
  }

  /** Calls the listeners in the order of their registration. Never throws. */
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
