// One direction of one slow connection: pieces leave late and in order.

/** How slow. Looked at for every piece, so that it can change while the connection lives. */
export interface Shape {
  /** In ms. */
  readonly delayMs: number;
  /** 0 is without bounds. */
  readonly bytesPerSecond: number;
}

export class Shaper {
  readonly #shape: Shape;
  /** When the last piece has left, in ms since 1970. */
  #busyUntil = 0;

  constructor(shape: Shape) {
    this.#shape = shape;
  }

  /** Calls `leave` when `bytes` have passed; at once if nothing slows them down. */
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
