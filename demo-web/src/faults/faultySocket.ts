// A stand-in for WebSocket that lives on a bad network. It owns a real socket and passes everything through, later or not at
// all, until the socket is cut: then its user sees what a broken cable looks like (error, then close 1006).

import { Pipe, type Weather } from "./delayedStream";
import type { Freezer } from "./pageFreezer";

/** The parts of a browser's window that it replaces or uses. */
export interface SocketPage {
  WebSocket: typeof WebSocket;
  CloseEvent: typeof CloseEvent;
}

/** What can be done to a socket from underneath. */
export interface Breakable {
  readonly isOpen: boolean;
  /** Ends as by a broken cable. */
  cut(): void;
  /** Stays as it is, and carries nothing any more. For good: what lies between has forgotten the connection. */
  goDark(): void;
  /** Brings a text that the other end did not write. */
  hear(text: string): void;
  /** Ends as if the other end had closed it. */
  closeGently(code: number): void;
}

/** What decides about sockets, and is told of them. */
export interface SocketWatch {
  readonly freezer: Freezer;
  weather(): Weather;
  /** From 0 up to 1: what is lost. */
  random(): number;
  /** Whether a socket that is made now has to fail. */
  refuses(): boolean;
  /** Whether a socket that is made now gets no answer. */
  swallows(): boolean;
  made(socket: Breakable): void;
  /** It has got through to the other end. */
  opened(socket: Breakable): void;
  closed(socket: Breakable): void;
}

/** The close code of a connection that ended without a closing handshake. */
const ABNORMAL = 1006;
/** How long a browser waits for the answer to its close frame, in ms (Chromium: 2 s). */
const CLOSING_MS = 2000;

type Handler<E extends Event> = ((this: WebSocket, event: E) => unknown) | null;

/** Makes the class that takes the place of `page.WebSocket`. */
export function socketClass(page: SocketPage, watch: SocketWatch): typeof WebSocket {
  const Native = page.WebSocket;
  const CloseEvent = page.CloseEvent;
  const { freezer } = watch;

  class FaultySocket extends EventTarget implements Breakable {
    static readonly CONNECTING = 0;
    static readonly OPEN = 1;
    static readonly CLOSING = 2;
    static readonly CLOSED = 3;
    readonly CONNECTING = 0;
    readonly OPEN = 1;
    readonly CLOSING = 2;
    readonly CLOSED = 3;

    readonly #url: string;
    readonly #handlers = new Map<string, EventListener>();
    readonly #up = new Pipe(freezer, watch.weather, watch.random);
    readonly #down = new Pipe(freezer, watch.weather, watch.random);
    /** Undefined for a socket that never got a real one, and for one that was cut. */
    #native: WebSocket | undefined;
    #state: number = FaultySocket.CONNECTING;
    /** Nothing comes or goes any more. Its user may not know yet. */
    #dark = false;
    #held = 0;

    constructor(url: string | URL, protocols?: string | string[]) {
      super();
      this.#url = String(url);
      if (watch.refuses()) {
        // A refusal is seen later, never inside the constructor.
        freezer.clock.after(0, () => this.cut());
        return;
      }
      watch.made(this);
      if (watch.swallows()) {
        this.#dark = true;
        return;
      }
      this.#connect(new Native(url, protocols));
    }

    #connect(native: WebSocket): void {
      this.#native = native;
      const fromAfar = (act: () => void, extraMs = 0) => {
        if (!this.#dark) this.#down.push(act, extraMs);
      };
      native.addEventListener("open", () => {
        if (this.#dark) return;
        watch.opened(this);
        // The handshake goes to and fro.
        fromAfar(() => this.#open(), watch.weather().latencyMs);
      });
      native.addEventListener("error", () => fromAfar(() => this.dispatchEvent(new Event("error"))));
      native.addEventListener("message", ({ data, origin }) => fromAfar(() => this.#message(data, origin)));
      native.addEventListener("close", ({ code, reason, wasClean }) =>
        fromAfar(() => this.#end(code, reason, wasClean)),
      );
    }

    get isOpen(): boolean {
      return this.#state === FaultySocket.OPEN && !this.#dark;
    }

    cut(): void {
      const native = this.#native;
      this.#native = undefined;
      this.goDark();
      this.#down.inject(() => this.#fail());
      native?.close();
    }

    goDark(): void {
      // The real one is left as it is: the other end must not learn of it either.
      this.#dark = true;
      this.#up.clear();
      this.#down.clear();
    }

    hear(text: string): void {
      if (this.isOpen) this.#down.push(() => this.#message(text, new URL(this.url).origin));
    }

    closeGently(code: number): void {
      if (this.#dark) return;
      // One that is not open yet has nobody to say it.
      if (!this.isOpen) {
        this.cut();
        return;
      }
      this.#dark = true;
      this.#down.push(() => this.#end(code, "", true));
      this.#native?.close();
    }

    #open(): void {
      if (this.#state !== FaultySocket.CONNECTING) return;
      this.#state = FaultySocket.OPEN;
      this.dispatchEvent(new Event("open"));
    }

    #message(data: unknown, origin: string): void {
      // A closing socket still hears what was under way.
      if (this.#state === FaultySocket.CLOSED) return;
      this.dispatchEvent(new MessageEvent("message", { data, origin }));
    }

    #fail(): void {
      if (this.#state === FaultySocket.CLOSED) return;
      // Closed before the events, so that a listener finds what it would find on a real socket.
      this.#state = FaultySocket.CLOSED;
      watch.closed(this);
      this.dispatchEvent(new Event("error"));
      this.dispatchEvent(new CloseEvent("close", { code: ABNORMAL, reason: "", wasClean: false }));
    }

    #end(code: number, reason: string, wasClean: boolean): void {
      if (this.#state === FaultySocket.CLOSED) return;
      this.#state = FaultySocket.CLOSED;
      this.goDark();
      watch.closed(this);
      this.dispatchEvent(new CloseEvent("close", { code, reason, wasClean }));
    }

    get readyState(): number {
      return this.#state;
    }

    get url(): string {
      return this.#native?.url ?? this.#url;
    }

    get protocol(): string {
      return this.#state === FaultySocket.CONNECTING ? "" : (this.#native?.protocol ?? "");
    }

    get extensions(): string {
      return this.#native?.extensions ?? "";
    }

    get bufferedAmount(): number {
      return (this.#native?.bufferedAmount ?? 0) + this.#held;
    }

    get binaryType(): BinaryType {
      return this.#native?.binaryType ?? "blob";
    }

    set binaryType(type: BinaryType) {
      if (this.#native) this.#native.binaryType = type;
    }

    send(data: string | ArrayBufferLike | Blob | ArrayBufferView): void {
      if (this.#state === FaultySocket.CONNECTING) {
        throw new DOMException("Still in CONNECTING state.", "InvalidStateError");
      }
      // Like a browser, swallow what is sent into a closed socket.
      if (!this.isOpen) return;
      const size = typeof data === "string" ? data.length : 0;
      this.#held += size;
      this.#up.push(() => {
        this.#held -= size;
        this.#native?.send(data as string);
      });
    }

    close(code?: number, reason?: string): void {
      if (code !== undefined && code !== 1000 && !(code >= 3000 && code <= 4999)) {
        throw new DOMException(`The code ${code} is neither 1000 nor in 3000 to 4999.`, "InvalidAccessError");
      }
      if (this.#state >= FaultySocket.CLOSING) return;
      const wasOpen = this.#state === FaultySocket.OPEN;
      this.#state = FaultySocket.CLOSING;
      const native = this.#native;
      if (this.#dark) {
        // Nobody answers: a browser gives up by itself.
        freezer.clock.after(wasOpen ? CLOSING_MS : 0, () => this.#down.inject(() => this.#fail()));
      } else if (wasOpen) {
        this.#up.push(() => native?.close(code, reason));
      } else {
        native?.close(code, reason);
      }
    }

    get onopen(): Handler<Event> {
      return this.#handler("open");
    }
    set onopen(handler: Handler<Event>) {
      this.#handle("open", handler);
    }
    get onmessage(): Handler<MessageEvent> {
      return this.#handler("message");
    }
    set onmessage(handler: Handler<MessageEvent>) {
      this.#handle("message", handler);
    }
    get onerror(): Handler<Event> {
      return this.#handler("error");
    }
    set onerror(handler: Handler<Event>) {
      this.#handle("error", handler);
    }
    get onclose(): Handler<CloseEvent> {
      return this.#handler("close");
    }
    set onclose(handler: Handler<CloseEvent>) {
      this.#handle("close", handler);
    }

    #handler<E extends Event>(type: string): Handler<E> {
      return (this.#handlers.get(type) as Handler<E> | undefined) ?? null;
    }

    #handle<E extends Event>(type: string, handler: Handler<E>): void {
      const before = this.#handlers.get(type);
      if (before) this.removeEventListener(type, before);
      this.#handlers.delete(type);
      if (typeof handler !== "function") return;
      this.#handlers.set(type, handler as unknown as EventListener);
      this.addEventListener(type, handler as unknown as EventListener);
    }
  }

  // Sockets that were made before the layer took its place are still WebSockets to `instanceof`.
  Object.defineProperty(FaultySocket, Symbol.hasInstance, {
    value: (value: unknown) =>
      value instanceof Native || Object.prototype.isPrototypeOf.call(FaultySocket.prototype, value as object),
  });

  return FaultySocket as unknown as typeof WebSocket;
}
