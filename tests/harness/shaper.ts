// One direction of a slow connection: chunks leave late and in order.

/** The line's properties, read for every chunk, so that they can change while the connection is open. */
export interface Shape {
  /** In ms. */
  readonly delayMs: number;
  /** 0 is unlimited. */
  readonly bytesPerSecond: number;
}

export class Shaper {
  readonly #shape: Shape;
  /** When the last chunk has left, in ms since 1970. */
  #busyUntil = 0;

  constructor(shape: Shape) {
    this.#shape = shape;
  }

  /** Calls `leave` when `bytes` have passed; at once without delay and limit. */
  pass(bytes: number, leave: () => void): void {
    const { delayMs, bytesPerSecond } = this.#shape;
    const now = Date.now();
    if (delayMs === 0 && bytesPerSecond === 0 && this.#busyUntil <= now) {
      leave();
      return;
    }
    const sending = bytesPerSecond === 0 ? 0 : (bytes / bytesPerSecond) * 1000;
    this.#busyUntil = Math.max(this.#busyUntil, now + delayMs) + sending;
    setTimeout(leave, this.#busyUntil - now);
  }
}
