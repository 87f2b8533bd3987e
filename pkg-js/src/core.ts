// The typed `Core` of ./border.ts over the two doors that the WebAssembly really has: `call` for what it is asked, `tell`
// for what it says, each with a number that says what is meant. Every function that is exported from WebAssembly costs
// hundreds of bytes; here they cost a line. What the numbers and letters mean is in client-wasm/src/border.rs and
// host.rs; test/core.check.ts holds the lists to theirs.

import type { Core, CoreClass, CoreOptions, Host } from "./border.js";
import { EverwireError } from "./errors.js";

/** What the core is asked. */
export enum Operation {
  Start,
  Close,
  Subscribe,
  Unsubscribe,
  Send,
  Ask,
  Answered,
  Typing,
  HeardTyping,
  Mark,
  Marked,
  Live,
  Welcome,
  Polled,
  Subscribed,
  Unsubscribed,
  Ack,
  Refused,
  Ping,
  Goaway,
  Violation,
  Token,
  TokenFailed,
  Report,
}

/** What the core tells. */
export enum Told {
  State,
  Subscribed,
  Gap,
  Ended,
  Sending,
  FetchToken,
  Quiet,
  Error,
  Log,
  Answer,
}

/** A text that may be absent. */
type Text = string | undefined;

/** What the core calls. */
export interface RawHost {
  batch(frames: unknown): void;
  tell(what: Told, a: number, b: number, c: number, d: number, x: Text, y: Text, z: Text): void;
  /** A function that calls `happened` with these and its argument, as long as there is a core, and never throws. */
  handler(what: number, id: number): (value: unknown) => void;
}

/** The class that wasm-bindgen generates. */
export interface RawCore {
  accept(handle: number, offset: number): boolean;
  call(
    operation: Operation,
    a: number,
    b: number,
    c: number,
    d: number,
    e: number,
    x: Text,
    y: Text,
    z: Text,
    data: Text,
  ): number;
  happened(what: number, id: number, value: unknown): void;
  free(): void;
}

export type RawCoreClass = new (
  host: RawHost,
  url: string,
  session: string,
  guestUser: Text,
  guestName: Text,
  hasToken: boolean,
  websocket: boolean,
  polling: boolean,
  debug: boolean,
  hidden: boolean,
  online: boolean,
) => RawCore;

/** Makes a `Core` of the generated class. */
export function dress(Raw: RawCoreClass): CoreClass {
  return class implements Core {
    readonly #raw: RawCore;
    #free = false;
    // What the running call was answered in words: a report, or a code and a sentence.
    #answer: readonly [text: string, sentence: string] = ["", ""];

    constructor(host: Host, options: CoreOptions) {
      const { document, navigator } = globalThis;
      this.#raw = new Raw(
        {
          batch: host.batch,
          tell: (what, a, b, c, d, x = "", y, z) => {
            switch (what) {
              case Told.State:
                return host.state(a, b, c, d, x || undefined, y ?? "");
              case Told.Subscribed:
                return host.subscribed(a, x, b, c, d === 1);
              case Told.Gap:
                return host.gap(a, b, c, x);
              case Told.Ended:
                return host.ended(a, x, y ?? "");
              case Told.Sending:
                return host.sending(x, a, b, c, y, z);
              case Told.FetchToken:
                return host.fetchToken();
              case Told.Quiet:
                return host.quiet(a, b);
              case Told.Error:
                return host.error(x, y ?? "");
              case Told.Log:
                return host.log(x);
              case Told.Answer:
                this.#answer = [x, y ?? ""];
            }
          },
          handler: (what, id) => (value) => {
            if (this.#free) return;
            try {
              this.#raw.happened(what, id, value);
            } catch (cause) {
              host.broken(cause);
            }
          },
        },
        options.url,
        options.session,
        options.guestUser,
        options.guestName,
        options.hasToken,
        options.websocket,
        options.polling,
        options.debug,
        document?.hidden === true,
        navigator?.onLine !== false,
      );
    }

    /** Absent numbers are -1. */
    #call(
      operation: Operation,
      [a = -1, b = -1, c = -1, d = -1, e = -1]: readonly (number | undefined)[] = [],
      x?: Text,
      y?: Text,
      z?: Text,
      data?: Text,
    ): number {
      return this.#raw.call(operation, a, b, c, d, e, x, y, z, data);
    }

    /** For what answers a negative number when it has told an error. */
    #try(number: number): number {
      if (number < 0) throw new EverwireError(...this.#answer);
      return number;
    }

    start(): void {
      this.#call(Operation.Start);
    }

    close(): void {
      this.#call(Operation.Close);
    }

    free(): void {
      this.#free = true;
      this.#raw.free();
    }

    subscribe(
      channel: string,
      recent: number | undefined,
      epoch: Text,
      offset: number | undefined,
      undelivered: boolean,
    ): number {
      return this.#try(this.#call(Operation.Subscribe, [recent, offset, +undelivered], channel, epoch));
    }

    unsubscribe(handle: number): void {
      this.#call(Operation.Unsubscribe, [handle]);
    }

    send(
      id: string,
      channel: string,
      event: Text,
      data: string,
      restored: boolean,
      action: Text,
      target: Text,
    ): void {
      // Channel names and ids have nothing in them that JSON would escape.
      const named = event === undefined ? "" : `"event":${JSON.stringify(event)},`;
      const about = action === undefined ? "" : `,"action":"${action}","target":"${target}"`;
      const text = `{"type":"send","id":"${id}","channel":"${channel}",${named}"data":${data}${about}}`;
      this.#try(this.#call(Operation.Send, [+restored], id, channel, undefined, text));
    }

    request(id: string, text: string, timeoutMs: number): void {
      this.#try(this.#call(Operation.Ask, [timeoutMs], id, undefined, undefined, text));
    }

    answered(id: string): boolean {
      return this.#call(Operation.Answered, [], id) === 1;
    }

    ephemeral(text: string): boolean {
      return this.#try(this.#call(Operation.Ask, [0], undefined, undefined, undefined, text)) === 1;
    }

    sticky(text: string): void {
      this.#try(this.#call(Operation.Ask, [], undefined, undefined, undefined, text));
    }

    typing(handle: number, key: boolean): void {
      this.#call(Operation.Typing, [handle, +key]);
    }

    heard(handle: number, typist: number, typing: boolean): void {
      this.#call(Operation.HeardTyping, [handle, typist, +typing]);
    }

    mark(handle: number, delivered: number, read: number): void {
      this.#call(Operation.Mark, [handle, delivered, read]);
    }

    marked(handle: number, delivered: number, read: number): void {
      this.#call(Operation.Marked, [handle, delivered, read]);
    }

    accept(handle: number, offset: number): boolean {
      return this.#raw.accept(handle, offset);
    }

    live(handle: number): boolean {
      return this.#call(Operation.Live, [handle]) === 1;
    }

    welcome(connection: string, user: string, ...numbers: readonly number[]): void {
      this.#call(Operation.Welcome, numbers, connection, user);
    }

    polled(seq: number): void {
      this.#call(Operation.Polled, [seq]);
    }

    subscribed(handle: number, epoch: string, offset: number, head: number, gap: Text): boolean {
      return this.#call(Operation.Subscribed, [handle, offset, head], epoch, gap) === 1;
    }

    unsubscribed(handle: number, channel: string, code: Text, message: Text): void {
      this.#call(Operation.Unsubscribed, [handle], channel, code, message);
    }

    ack(id: string, offset: number, at: number): void {
      this.#call(Operation.Ack, [offset, at], id);
    }

    refused(
      code: string,
      message: string,
      retry: boolean,
      id: Text,
      handle: number,
      retryAfterMs: number,
    ): void {
      this.#call(Operation.Refused, [retry ? 1 : 0, handle, retryAfterMs], code, message, id);
    }

    ping(nonce: number): void {
      this.#call(Operation.Ping, [nonce]);
    }

    goaway(delayMs: number, spreadMs: number, reason: string): void {
      this.#call(Operation.Goaway, [delayMs, spreadMs], reason);
    }

    violation(message: string): void {
      this.#call(Operation.Violation, [], message);
    }

    token(token: string): void {
      this.#call(Operation.Token, [], token);
    }

    token_failed(message: string): void {
      this.#call(Operation.TokenFailed, [], message);
    }

    report(): string {
      this.#call(Operation.Report);
      return this.#answer[0];
    }
  };
}
