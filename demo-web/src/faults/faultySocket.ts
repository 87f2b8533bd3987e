// A replacement for WebSocket with network faults. It wraps a real socket and passes everything on, late or not at all,
// until the socket is cut: then it reports what a lost connection looks like (error, then close 1006).

import { DelayedStream, type NetworkConditions } from "./delayedStream";
import type { PageFreezer } from "./pageFreezer";

/** The parts of `window` that it replaces or uses. */
export interface SocketPage {
  WebSocket: typeof WebSocket;
  CloseEvent: typeof CloseEvent;
}

/** The faults of a socket. */
export interface BreakableSocket {
  readonly isOpen: boolean;
  /** Ends like a lost connection. */
  cut(): void;
  /** Stays open and carries nothing more, permanently, as if a router had forgotten the connection. */
  silence(): void;
  /** Delivers a message that the server did not send. */
  injectMessage(text: string): void;
  /** Ends as if the server had closed it. */
  closeFromServer(code: number): void;
}

/** What the fault layer decides about sockets, and what it is told. */
export interface SocketHooks {
  readonly freezer: PageFreezer;
  conditions(): NetworkConditions;
  /** In [0, 1): decides what is lost. */
  random(): number;
  /** Whether new sockets fail. */
  refuses(): boolean;
  /** Whether new sockets get no response. */
  dropsSilently(): boolean;
  created(socket: BreakableSocket): void;
  /** The connection to the server is open. */
  opened(socket: BreakableSocket): void;
  closed(socket: BreakableSocket): void;
}

/** The close code of a connection that ended without a closing handshake. */
const ABNORMAL = 1006;
/** How long a browser waits for the answer to its close frame, in ms (Chromium: 2 s). */
const CLOSING_MS = 2000;

type Handler<E extends Event> = ((this: WebSocket, event: E) => unknown) | null;

/** Creates the class that replaces `page.WebSocket`. */
export function socketClass(page: SocketPage, hooks: SocketHooks): typeof WebSocket {
  const Native = page.WebSocket;
  const CloseEvent = page.CloseEvent;
  const { freezer } = hooks;

  class FaultySocket extends EventTarget implements BreakableSocket {
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
    readonly #up = new DelayedStream(freezer, hooks.conditions, hooks.random);
    readonly #down = new DelayedStream(freezer, hooks.conditions, hooks.random);
    /** Undefined for a socket that was refused or cut. */
    #native: WebSocket | undefined;
    #state: number = FaultySocket.CONNECTING;
    /** Nothing is sent or received any more, though the page may not know yet. */
    #dark = false;
    #held = 0;

    constructor(url: string | URL, protocols?: string | string[]) {
      super();
      this.#url = String(url);
      if (hooks.refuses()) {
        // A failure is reported asynchronously, never inside the constructor.
        freezer.clock.after(0, () => this.cut());
        return;
      }
      hooks.created(this);
      if (hooks.dropsSilently()) {
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
        hooks.opened(this);
        // The handshake takes a round trip.
        fromAfar(() => this.#open(), hooks.conditions().latencyMs);
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
      this.silence();
      this.#down.inject(() => this.#fail());
      native?.close();
    }

    silence(): void {
      // The real socket stays open: the server must not learn of it either.
      this.#dark = true;
      this.#up.clear();
      this.#down.clear();
    }

    injectMessage(text: string): void {
      if (this.isOpen) this.#down.push(() => this.#message(text, new URL(this.url).origin));
    }

    closeFromServer(code: number): void {
      if (this.#dark) return;
      // A socket that is not open yet cannot get a close frame.
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
      // A closing socket still receives messages in flight.
      if (this.#state === FaultySocket.CLOSED) return;
      this.dispatchEvent(new MessageEvent("message", { data, origin }));
    }

    #fail(): void {
      if (this.#state === FaultySocket.CLOSED) return;
      // Closed before the events fire, as on a real socket.
      this.#state = FaultySocket.CLOSED;
      hooks.closed(this);
      this.dispatchEvent(new Event("error"));
      this.dispatchEvent(new CloseEvent("close", { code: ABNORMAL, reason: "", wasClean: false }));
    }

    #end(code: number, reason: string, wasClean: boolean): void {
      if (this.#state === FaultySocket.CLOSED) return;
      this.#state = FaultySocket.CLOSED;
      this.silence();
      hooks.closed(this);
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
      // Like a browser, ignore data sent on a closed socket.
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
        // Without an answer, a browser closes the socket after a timeout.
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

  // Sockets that were created before the layer was installed still pass `instanceof`.
  Object.defineProperty(FaultySocket, Symbol.hasInstance, {
    value: (value: unknown) =>
      value instanceof Native || Object.prototype.isPrototypeOf.call(FaultySocket.prototype, value as object),
  });

  return FaultySocket as unknown as typeof WebSocket;
}
