// The base of lists and rooms: notifies of changes, once per batch.

import { Emitter, type Unsubscribe } from "./emitter.js";

/** Something with a `change` event. */
export class Observable {
  /** @internal */
  readonly _emitter = new Emitter();
  /** @internal The number of changes. */
  _version = 0;
  #told = false;

  /** Calls the listener after a change, once per batch. Returns a function that removes it. */
  on(event: "change", listener: () => void): Unsubscribe {
    return this._emitter.on(event, listener);
  }

  /** @internal A batch of 256 messages is one change: listeners are called after the batch. */
  _changed(): void {
    this._version++;
    if (this.#told) return;
    this.#told = true;
    queueMicrotask(() => {
      this.#told = false;
      this._emitter.emit("change", undefined);
    });
  }
}
