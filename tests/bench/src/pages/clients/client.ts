// The interface of all client libraries in a benchmark: connect, subscribe to one channel, pass each message to a
// listener.

/** Where to connect. */
export interface Target {
  /** An http URL; each client derives what it needs. */
  readonly url: string;
  readonly channel: string;
  /**
   * Where Everwire starts: after a position, or a number of messages before the end. The peers' servers send without a
   * request.
   */
  readonly from?: { readonly epoch: string; readonly offset: number } | { readonly recent: number };
}

/** Callbacks of a client. */
export interface Listener {
  /** The client reports that it is connected. */
  connected(): void;
  /** The client reports that it is subscribed. */
  subscribed?(): void;
  /** A parsed message has been delivered. */
  message(message: { readonly offset: number }): void;
}

/** Connects and subscribes as the library's own documentation shows; returns a function that ends it. */
export type Open = (target: Target, listener: Listener) => () => unknown;

/** The WebSocket URL. */
export const webSocketUrl = (url: string): string => url.replace(/^http/, "ws");
