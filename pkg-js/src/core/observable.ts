// What lists and rooms have in common: they say that they changed, once for all that changed together.

import { Emitter, type Unsubscribe } from "./emitter.js";

/** Something that tells of its changes. */
export class Observable {
  /** @internal */
  readonly _emitter = new Emitter();
  /** @internal How often it has changed. */
  _version = 0;
  #told = false;

  /** Calls back after a change: once for everything that came in one batch. Returns what removes the listener. */
  on(event: "change", listener: () => void): Unsubscribe {
    return this._emitter.on(event, listener);
  }

  /** @internal A batch of 256 messages is one change: listeners hear of it when the batch is done. */
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
