// A channel with live messages for those who are subscribed at that moment. They are sent on a request of `/publish` with
// `count` and `every` (ms); the response comes after the last one.

import type { RequestListener } from "node:http";

/** The channel's name, in every protocol. */
export const LIVE = "live";

/** A message of the live channel; they are numbered from 1. */
export interface LiveMessage {
  readonly offset: number;
  readonly text: string;
}

export class Live {
  readonly #listeners = new Set<(message: LiveMessage) => void>();

  /** Sends each message to `listener` until the connection has ended. */
  join(
    connection: { on(event: "close", ended: () => void): unknown },
    listener: (message: LiveMessage) => void,
  ): void {
    this.#listeners.add(listener);
    connection.on("close", () => this.#listeners.delete(listener));
  }

  /** Sends a message to everybody who has joined. */
  readonly publish = (message: LiveMessage): void => {
    for (const listener of this.#listeners) listener(message);
  };
}

/** Answers `/publish`, and everything else with 404. */
export function publishing(publish: (message: LiveMessage) => void): RequestListener {
  return (request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? "/", "http://localhost");
    const [count, every] = [Number(searchParams.get("count")), Number(searchParams.get("every"))];
    if (pathname !== "/publish" || !(count > 0 && every > 0)) {
      response.writeHead(404).end();
      return;
    }
    const began = performance.now();
    let published = 0;
    const next = (): void => {
      publish({ offset: ++published, text: "Did the build go through?" });
      if (published === count) response.writeHead(204).end();
      // By the clock, so that a late timer does not delay all later messages.
      else setTimeout(next, Math.max(0, began + published * every - performance.now()));
    };
    next();
  };
}
