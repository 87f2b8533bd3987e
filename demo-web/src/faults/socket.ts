// A stand-in for WebSocket that can be cut from underneath. It owns a real socket and passes everything through, until it
// is cut: then its user sees what a broken cable looks like (error, then close 1006), at once and without being asked.

import type { Cuttable, Page } from "./layer";

/** What decides about sockets, and is told of them. */
export interface SocketWatch {
  /** Whether a socket that is made now has to fail. */
  refuses(): boolean;
  opened(socket: Cuttable): void;
  closed(socket: Cuttable): void;
}

/** The close code of a connection that ended without a closing handshake. */
const ABNORMAL = 1006;

type Handler<E extends Event> = ((this: WebSocket, event: E) => unknown) | null;

/** Makes the class that takes the place of `page.WebSocket`. */
export function socketClass(page: Page, watch: SocketWatch): typeof WebSocket {
  const Native = page.WebSocket;
  const CloseEvent = page.CloseEvent;

  class FaultySocket extends EventTarget implements Cuttable {
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
    /** Undefined for a socket that was refused from the start, and for one that was cut. */
    #native: WebSocket | undefined;
    #dead = false;

    constructor(url: string | URL, protocols?: string | string[]) {
      super();
      this.#url = String(url);
      if (watch.refuses()) {
        // A refusal is seen later, never inside the constructor.
        setTimeout(() => this.cut(), 0);
        return;
      }
      const native = new Native(url, protocols);
      this.#native = native;
      watch.opened(this);
      const ifAlive = (pass: () => void) => () => {
        if (!this.#dead) pass();
      };
      native.addEventListener(
        "open",
        ifAlive(() => this.dispatchEvent(new Event("open"))),
      );
      native.addEventListener(
        "error",
        ifAlive(() => this.dispatchEvent(new Event("error"))),
      );
      native.addEventListener("message", ({ data, origin }) => {
        if (!this.#dead) this.dispatchEvent(new MessageEvent("message", { data, origin }));
      });
      native.addEventListener("close", ({ code, reason, wasClean }) => this.#end(code, reason, wasClean));
    }

    cut(): void {
      if (this.#dead) return;
      const native = this.#native;
      this.#native = undefined;
      // Dead before the event, so that a listener finds what it would find on a real socket.
      this.#dead = true;
      watch.closed(this);
      this.dispatchEvent(new Event("error"));
      this.dispatchEvent(new CloseEvent("close", { code: ABNORMAL, reason: "", wasClean: false }));
      native?.close();
    }

    #end(code: number, reason: string, wasClean: boolean): void {
      if (this.#dead) return;
      this.#dead = true;
      watch.closed(this);
      this.dispatchEvent(new CloseEvent("close", { code, reason, wasClean }));
    }

    get readyState(): number {
      if (this.#dead) return FaultySocket.CLOSED;
      return this.#native?.readyState ?? FaultySocket.CONNECTING;
    }

    get url(): string {
      return this.#native?.url ?? this.#url;
    }

    get protocol(): string {
      return this.#native?.protocol ?? "";
    }

    get extensions(): string {
      return this.#native?.extensions ?? "";
    }

    get bufferedAmount(): number {
      return this.#native?.bufferedAmount ?? 0;
    }

    get binaryType(): BinaryType {
      return this.#native?.binaryType ?? "blob";
    }

    set binaryType(type: BinaryType) {
      if (this.#native) this.#native.binaryType = type;
    }

    send(data: string | ArrayBufferLike | Blob | ArrayBufferView): void {
      if (this.readyState === FaultySocket.CONNECTING && !this.#native) {
        throw new DOMException("Still in CONNECTING state.", "InvalidStateError");
      }
      // Like a browser, swallow what is sent into a closed socket.
      this.#native?.send(data as string);
    }

    close(code?: number, reason?: string): void {
      this.#native?.close(code, reason);
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
