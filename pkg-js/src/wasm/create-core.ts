// The typed `Core` of ./bindings.ts over the two doors that the WebAssembly really has: `call` for what it is asked, `tell`
// for what it says, each with a number that says what is meant. Every function that is exported from WebAssembly costs
// hundreds of bytes; here they cost an entry in a table, which says under which letters the arguments go. What the
// numbers and letters mean is in client-wasm/src/bindings/mod.rs and host.rs; test/core.check.ts holds the lists to theirs.

import { EverwireError } from "../core/errors.js";
import type { Core, CoreClass, CoreOptions, Host } from "./bindings.js";

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

/** What is asked, by letters. */
type Asked = [a: number, b: number, c: number, d: number, e: number, x: Text, y: Text, z: Text, data: Text];

/** The class that wasm-bindgen generates. */
export interface RawCore {
  accept(handle: number, offset: number): boolean;
  /** Flags may be given as such: they become numbers. */
  call(operation: Operation, ...asked: Asked): number;
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

// The places of the letters among the arguments of `RawCore.call` and of `RawHost.tell`; `t` is `data`.
const ASKED = "abcdexyzt";
const SAID = "abcdxyz";

/** What `Core` only hands on, in the order of `Operation`: the letters of its arguments in their order. */
const METHODS = {
  start: "",
  close: "",
  subscribe: "xaybc",
  unsubscribe: "a",
  send: "xyta",
  ask: "tax",
  answered: "x",
  typing: "ab",
  heard: "abc",
  mark: "abc",
  marked: "abc",
  live: "a",
  welcome: "xyabcde",
  polled: "a",
  subscribed: "axbcdy",
  unsubscribed: "axyz",
  ack: "xab",
  refused: "xyazbc",
  ping: "a",
  goaway: "abx",
  violation: "x",
  token: "x",
  token_failed: "x",
} as const satisfies Record<Exclude<keyof Core, "accept" | "report">, string>;

/** The same for what the core tells: the methods of `Host`, by `Told`. */
const TELLS = [
  ["state", "abcdxy"],
  ["subscribed", "axbcd"],
  ["gap", "abcx"],
  ["ended", "axy"],
  ["sending", "xabcyz"],
  ["fetchToken", ""],
  ["quiet", "ab"],
  ["error", "xy"],
  ["log", "x"],
] as const satisfies readonly (readonly [keyof Host, string])[];

/** Makes a `Core` of the generated class. */
export function createCore(Raw: RawCoreClass): CoreClass {
  class WrappedCore {
    readonly #raw: RawCore;
    #free = false;
    // What the running call was answered in words: a report, or a code and a sentence.
    _answer: readonly [text: string, sentence: string] = ["", ""];

    constructor(host: Host, options: CoreOptions) {
      const { document, navigator } = globalThis;
      this.#raw = new Raw(
        {
          batch: host.batch,
          tell: (what, ...said) => {
            const [name, letters = ""] = TELLS[what as number] ?? [];
            if (name === undefined) this._answer = said.slice(4) as [string, string];
            else {
              const act = host[name] as (...said: unknown[]) => void;
              act(...Array.from(letters, (letter) => said[SAID.indexOf(letter)]));
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

    _call(operation: Operation, letters: string, given: readonly unknown[]): number {
      // Absent numbers are -1.
      const asked: unknown[] = [-1, -1, -1, -1, -1];
      given.forEach((value, at) => {
        if (value !== undefined) asked[ASKED.indexOf(letters.charAt(at))] = value;
      });
      return this.#raw.call(operation, ...(asked as Asked));
    }

    free(): void {
      this.#free = true;
      this.#raw.free();
    }

    accept(handle: number, offset: number): boolean {
      return this.#raw.accept(handle, offset);
    }

    report(): string {
      this._call(Operation.Report, "", []);
      return this._answer[0];
    }
  }
  Object.entries(METHODS).forEach(([name, letters], operation) => {
    Object.assign(WrappedCore.prototype, {
      [name](this: WrappedCore, ...given: unknown[]) {
        const answer = this._call(operation, letters, given);
        // What answers a negative number has told an error.
        if (answer < 0) throw new EverwireError(...this._answer);
        return answer;
      },
    });
  });
  return WrappedCore as unknown as CoreClass;
}
