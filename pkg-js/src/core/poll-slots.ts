// Slots for held polls, which all pages of a browser share. A browser opens six connections to a host over HTTP/1.1, for all
// its pages together; so that polls do not occupy them all, at most four pages hold one at a time. A slot is a lock, which the
// browser releases when its page ends. Pages without locks, such as those from http, ask each other.

const SLOTS = 4;

/** How long a page waits for the answers of others, in ms. */
const ANSWER_MS = 200;

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
    const taken = await take(this.#name, released);
    if (this.#release !== release) return;
    if (taken) this.#granted();
    else this.#release = undefined;
  }
}

/** Whether one of the slots was free; it is then taken until `released`. */
async function take(name: string, released: Promise<void>): Promise<boolean> {
  // Node has locks too, but no limit that its clients would share.
  if (typeof location === "undefined") return true;
  const locks = globalThis.navigator?.locks;
  if (locks === undefined) return ask(name, released);
  for (let slot = 0; slot < SLOTS; slot++) {
    const taken = await tryLock(locks, name + slot, released);
    // Storage is denied, and locks with it.
    if (taken === undefined) return ask(name, released);
    if (taken) return true;
  }
  return false;
}

/** Whether the lock was free; it is then held until `released`. Undefined: there are no locks for this page. */
function tryLock(locks: LockManager, name: string, released: Promise<void>): Promise<boolean | undefined> {
  return new Promise((resolve) => {
    locks
      .request(name, { ifAvailable: true }, (lock) => {
        resolve(lock !== null);
        return lock === null ? undefined : released;
      })
      .catch(() => resolve(undefined));
  });
}

/** Whether fewer pages than there are slots say that they hold one; this page then says so too, until `released`. */
async function ask(name: string, released: Promise<void>): Promise<boolean> {
  if (typeof BroadcastChannel === "undefined") return true;
  const pages = new BroadcastChannel(name);
  const own = Math.random();
  let holds = false;
  // Those that go before this page: they hold a slot, or ask at the same time with a lower number.
  const before = new Set<number>();
  // Who asks, and, in an answer, who had asked.
  pages.onmessage = ({ data: [from, to] }: MessageEvent<[number, number?]>) => {
    if (to === undefined && (holds || own < from)) pages.postMessage([own, from]);
    else if (to === undefined || to === own) before.add(from);
  };
  pages.postMessage([own]);
  await new Promise((resolve) => setTimeout(resolve, ANSWER_MS));
  holds = before.size < SLOTS;
  if (holds) void released.then(() => pages.close());
  else pages.close();
  return holds;
}
