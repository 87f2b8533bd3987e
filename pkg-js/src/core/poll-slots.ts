// A browser opens six connections to a host over HTTP/1.1, for all its pages together. So that polls do not occupy them all,
// at most four pages hold one at a time: each needs one of four locks, which the browser releases when a page ends.

const SLOTS = 4;

export class PollSlot {
  readonly #name: string;
  readonly #granted: () => void;
  /** Releases the slot, which is held or being asked for. */
  #release: (() => void) | undefined;

  /** `granted` is called when a slot was free. */
  constructor(server: string, granted: () => void) {
    this.#name = `everwire:poll:${server}:`;
    this.#granted = granted;
  }

  /** Takes a slot if one is free, or gives it up. */
  want(wanted: boolean): void {
    if (!wanted) {
      this.#release?.();
      this.#release = undefined;
    } else if (this.#release === undefined) {
      void this.#take();
    }
  }

  async #take(): Promise<void> {
    let release = () => {};
    const released = new Promise<void>((resolve) => {
      release = resolve;
    });
    this.#release = release;
    for (let slot = 0; slot < SLOTS; slot++) {
      if (await tryLock(this.#name + slot, released)) {
        if (this.#release === release) this.#granted();
        return;
      }
    }
    if (this.#release === release) this.#release = undefined;
  }
}

/** Whether the lock was free; it is then held until `released`. Where there are no locks, everything is free. */
function tryLock(name: string, released: Promise<void>): Promise<boolean> {
  return new Promise((resolve) => {
    // Node has locks too, but no limit that its clients would share.
    const locks = typeof location === "undefined" ? undefined : globalThis.navigator?.locks;
    if (locks === undefined) return resolve(true);
    locks
      .request(name, { ifAvailable: true }, (lock) => {
        resolve(lock !== null);
        return lock === null ? undefined : released;
      })
      // Storage is denied, and locks with it.
      .catch(() => resolve(true));
  });
}
