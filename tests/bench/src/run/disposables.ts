// Stops what was started, last first, whatever happens in between.

/** To be held with `await using`. */
export class Disposables implements AsyncDisposable {
  readonly #started: { stop(): Promise<void> }[] = [];

  /** Registers something to be stopped, and returns it. */
  add<Started extends { stop(): Promise<void> }>(started: Started): Started {
    this.#started.push(started);
    return started;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const started of this.#started.reverse()) await started.stop();
  }
}
