// The logs of chats that were opened and closed again stay subscribed, so that opening them again shows them at once. A
// session has a limited number of subscriptions: when they run out, the chat that was closed longest ago gives up its own.

import type { ChatPort } from "./port.js";

/** A chat whose log can be released. */
export interface KeptLog {
  /** @internal */
  _releaseLog(): void;
}

export class KeptLogs {
  readonly #client: ChatPort;
  // The one that was closed last is the last.
  readonly #closed = new Set<KeptLog>();

  constructor(client: ChatPort) {
    this.#client = client;
  }

  /** A chat is opened: it does not give up its log, and others make room for it. */
  open(chat: KeptLog): void {
    this.#closed.delete(chat);
    for (const other of this.#closed) {
      // A quarter is left to what the application subscribes to itself.
      if (this.#client._handles.size < this.#client._limits.subscriptions * 0.75) break;
      this.#closed.delete(other);
      other._releaseLog();
    }
  }

  close(chat: KeptLog): void {
    this.#closed.add(chat);
  }

  forget(chat: KeptLog): void {
    this.#closed.delete(chat);
  }
}
