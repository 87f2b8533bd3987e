// The border between TypeScript and the WebAssembly core, as types. What the core decides comes back through `Host`;
// what arrives from the network goes in through `Core`. Payloads never cross: only numbers and short texts do.
//
// `Core` is made of what client-wasm/src/bindings/mod.rs exports by ./create-core.ts.

/** What `Core.accept` says about a durable frame. */
export enum Verdict {
  /** Drop it: a duplicate, or from a transport or subscription that is no more. */
  Drop = 0,
  /** Hand it to the listeners; the position has already moved. */
  Deliver = 1,
}

/** The numbers behind `Host.state`. */
export enum Status {
  Connecting = 0,
  Connected = 1,
  Waiting = 2,
  Offline = 3,
  Closed = 4,
}

/** The numbers behind the transport of `Host.state`. */
export enum TransportCode {
  None = 0,
  WebSocket = 1,
  Polling = 2,
}

/** The numbers behind `Host.sending`. */
export enum SendStatus {
  Queued = 0,
  Sent = 1,
  Stored = 2,
  Failed = 3,
}

/** What the core calls. None of these may throw. */
export interface Host {
  /** A batch has arrived and is parsed: dispatch it frame by frame, synchronously, into the calls of `Core`. */
  batch(frames: unknown): void;
  /** The connection's state changed. `retryInMs` is -1 unless waiting; `code` is the error code of a terminal close. */
  state(
    status: Status,
    transport: TransportCode,
    attempt: number,
    retryInMs: number,
    code: string | undefined,
    reason: string,
  ): void;
  /** A subscription is (again) in place; its entries follow. */
  /** `recovered` is 0 if entries were missed for good. */
  subscribed(handle: number, epoch: string, offset: number, head: number, recovered: number): void;
  /** Entries `from` to `to` can no longer be had; comes before `subscribed`. */
  gap(handle: number, from: number, to: number, reason: string): void;
  /** The server refused or ended a subscription: the handle is dead. */
  ended(handle: number, code: string, message: string): void;
  /** A send changed its state. `offset` and `at` are -1 unless stored; code and message only when failed. */
  sending(
    id: string,
    status: SendStatus,
    offset: number,
    at: number,
    code: string | undefined,
    message: string | undefined,
  ): void;
  /** The core needs a token: answer, now or later, with `Core.token` or `Core.token_failed`. */
  fetchToken(): void;
  /** Something went wrong that concerns the whole connection and is not a state. */
  error(code: string, message: string): void;
  /** Nothing was heard of this typist for so long that he counts as having stopped. */
  quiet(handle: number, typist: number): void;
  /** A line for the application's own log; only with the option `debug`. */
  log(line: string): void;
  /** The core itself has thrown, which it must not: there is no going on with it. */
  broken(cause: unknown): void;
}

/** The WebAssembly core: one connection. */
export interface Core {
  /** Starts connecting. Once. */
  start(): void;
  /** Ends for good: says bye, then releases sockets, timers and listeners. */
  close(): void;
  /**
   * Starts to receive a channel; returns its handle, new for each subscription. `undelivered`: after what was delivered to
   * the user already. Throws `{code, message}`.
   */
  subscribe(
    channel: string,
    recent: number | undefined,
    epoch: string | undefined,
    offset: number | undefined,
    undelivered: boolean,
  ): number;
  unsubscribe(handle: number): void;
  /**
   * Queues a message; `frame` is the JSON text of it. What becomes of it is said by `Host.sending`. `restored`: it was
   * written before the page was loaded, and goes before what was written since. Throws `{code, message}`.
   */
  send(id: string, channel: string, frame: string, restored: boolean): void;
  /**
   * Says something else, the JSON text of a frame. With an id it is a request, said again after a reconnect, that waits for its
   * answer; a refusal, no answer in time or the end is told by `Host.sending`. With a timeout of 0 it is sent now, which
   * 1 is answered for, or never. With neither it is sent now and after each welcome, in the place of the one before.
   * Throws `{code, message}`.
   */
  ask(frame: string, timeoutMs?: number, id?: string): number;
  /** Whether (1 or 0) the request still waits; it does not from now on. */
  answered(id: string): number;

  /** A key was pressed (true), or the user will type no more. */
  typing(handle: number, key: boolean): void;
  /** Somebody else, by a number of ours, types or not; `Host.quiet` takes it back. */
  heard(handle: number, typist: number, typing: boolean): void;
  /** How far the user has received and read: -1 for no news. Told to the server now and then. */
  mark(handle: number, delivered: number, read: number): void;
  /** How far the user has received and read, as the server knows it. */
  marked(handle: number, delivered: number, read: number): void;

  /**
   * Hot: a durable frame has come for this subscription. True: hand it to the listeners; the position has moved. False:
   * drop it, because it is a duplicate, or from a transport or subscription that is no more.
   */
  accept(handle: number, offset: number): boolean;
  /** Whether (1 or 0) state frames (joined, left) for this subscription count now. */
  live(handle: number): number;

  welcome(
    connection: string,
    user: string,
    pingIntervalMs: number,
    holdMs: number,
    tokenExpiresInMs: number,
    payloadBytes: number,
    batchBytes: number,
  ): void;
  polled(seq: number): void;
  /** 1 if the frame counts, so that the members in it are to be used. `gap`: the reason, if there is one; what is missing
   * follows from the client's own position. */
  subscribed(
    handle: number,
    epoch: string,
    offset: number,
    head: number,
    gapFrom: number | undefined,
    gap: string | undefined,
  ): number;
  /** `handle` is -1 when the channel has no subscription (any more). */
  unsubscribed(handle: number, channel: string, code: string | undefined, message: string | undefined): void;
  ack(id: string, offset: number, at: number): void;
  /**
   * `handle` is -1 when the frame names no channel, -2 when it names one without a subscription; `retryAfterMs` is -1
   * when absent.
   */
  refused(
    code: string,
    message: string,
    retry: boolean,
    id: string | undefined,
    handle: number,
    retryAfterMs: number,
  ): void;
  /** `nonce` is -1 when absent. */
  ping(nonce: number): void;
  goaway(delayMs: number, spreadMs: number, reason: string): void;
  /** The server broke the protocol: what it sent could not be unpacked. */
  violation(message: string): void;

  token(token: string): void;
  token_failed(message: string): void;
  /** The last frames (redacted) and state changes, one a line. */
  report(): string;
}

export interface CoreOptions {
  /** Absolute http(s) URL of the server, without a trailing slash. */
  url: string;
  /** Names the client across reconnects: a UUID. */
  session: string;
  /** `user` and `name` of a guest, or undefined. */
  guestUser: string | undefined;
  guestName: string | undefined;
  /** Whether `Host.fetchToken` may be called at all. */
  hasToken: boolean;
  /** Which transports may be used. */
  websocket: boolean;
  polling: boolean;
  debug: boolean;
}

/** How the core is made. */
export type CoreClass = new (host: Host, options: CoreOptions) => Core & { free(): void };
