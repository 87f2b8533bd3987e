// What a benchmark asks of every client library: connect, subscribe to one channel, hand each message to a listener.

/** Where to go. */
export interface Target {
  /** An http URL; each client makes of it what it needs. */
  readonly url: string;
  readonly channel: string;
  /** Where Everwire begins: after a position, or a number of messages before the end. The peers' servers send by themselves. */
  readonly from?: { readonly epoch: string; readonly offset: number } | { readonly recent: number };
}

/** What is told meanwhile. */
export interface Listener {
  /** The client says that it is connected. */
  connected(): void;
  /** The client says that it is subscribed. */
  subscribed?(): void;
  /** A message has been delivered, parsed. */
  message(message: { readonly offset: number }): void;
}

/** Connects and subscribes in the way that the library's own documentation shows; returns what ends it. */
export type Open = (target: Target, listener: Listener) => () => unknown;

/** The URL of a WebSocket. */
export const webSocketUrl = (url: string): string => url.replace(/^http/, "ws");
