// What does not need the core begins while that is still being fetched: the first WebSocket is opened and the application is asked
// for its token, so that a page does not wait for one after the other. Only time is gained by it: what is not good any more when
// the core asks for it is dropped, and the core gets a new one, as if there had been no other. Only of a WebSocket that could not be
// opened the core hears, as of its own.

import { POLLING_UNTIL_KEY } from "../generated/bindings.js";
import { POLL_PATH, SUBPROTOCOL, WEBSOCKET_PATH } from "../generated/protocol.js";
import { quiet } from "./deferred.js";
import type { ConnectOptions } from "./events.js";
import type { Settings } from "./options.js";

/** How long what was begun early is of use, in ms: a server waits 5 s for the first frame (docs/protocol.md, section 13). */
const EARLY_MS = 3_000;

/** Gives WebSockets and tokens. The first of each is begun when this is created. */
export class EarlyStart {
  readonly #url: string;
  readonly #source: ConnectOptions["token"];
  readonly #until = performance.now() + EARLY_MS;
  #socket: WebSocket | undefined;
  /** Whether the early WebSocket was ever open. */
  #opened = false;
  #token: Promise<unknown> | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor({ url, websocket }: Settings, source: ConnectOptions["token"]) {
    // http://… becomes ws://…, and https://… wss://….
    this.#url = `ws${url.slice(4)}${WEBSOCKET_PATH}`;
    this.#source = source;
    if (globalThis.navigator?.onLine === false) return;
    if (source !== undefined) {
      this.#token = this.#ask();
      quiet(this.#token);
    }
    if (!websocket || isPolling(url)) return;
    try {
      this.#socket = this.#create();
      this.#socket.onopen = () => {
        this.#opened = true;
      };
      this.#timer = setTimeout(() => this.close(), EARLY_MS);
    } catch {
      // Reported when the core asks for one.
    }
  }

  /** A WebSocket that is open or being opened. Throws what the browser throws. */
  socket(): WebSocket {
    if (this.#isOver()) this.close();
    const early = this.#socket;
    clearTimeout(this.#timer);
    this.#socket = undefined;
    if (early === undefined) return this.#create();
    // An attempt like any other, which the core has to know of: another one would fail, too.
    if (early.readyState === 3 && !this.#opened) throw new Error("");
    return early.readyState <= 1 ? early : this.#create();
  }

  /** What the application gives as its token. */
  token(): Promise<unknown> {
    const early = this.#token;
    this.#token = undefined;
    return early === undefined || this.#isOver() ? this.#ask() : early;
  }

  /** Closes the early WebSocket, unless it is in use. */
  close(): void {
    clearTimeout(this.#timer);
    this.#socket?.close();
    this.#socket = undefined;
  }

  // Timers may be late, for example after a sleep.
  #isOver(): boolean {
    return performance.now() > this.#until;
  }

  #create(): WebSocket {
    return new WebSocket(this.#url, SUBPROTOCOL);
  }

  async #ask(): Promise<unknown> {
    const source = this.#source;
    return typeof source === "function" ? source() : source;
  }
}

/** Whether the core remembers that WebSocket does not work with this server, and will poll. */
function isPolling(url: string): boolean {
  try {
    return Number(localStorage.getItem(POLLING_UNTIL_KEY + url + POLL_PATH)) > Date.now();
  } catch {
    // Storage is denied, or there is none.
    return false;
  }
}
