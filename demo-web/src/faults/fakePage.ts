// A page made of test doubles, for the tests of the fault layer.

import { SUBPROTOCOL } from "../../../protocol/generated/protocol";
import type { Page } from "./faultLayer";

/** A socket that the test controls. */
export class FakeSocket extends EventTarget {
  static made: FakeSocket[] = [];
  readyState = 0;
  readonly sent: unknown[] = [];
  closed: unknown[] | undefined;
  readonly protocol = SUBPROTOCOL;

  constructor(
    readonly url: string,
    readonly protocols?: string | string[],
  ) {
    super();
    FakeSocket.made.push(this);
  }

  open(): void {
    this.readyState = 1;
    this.dispatchEvent(new Event("open"));
  }

  receive(data: string): void {
    this.dispatchEvent(new MessageEvent("message", { data }));
  }

  send(data: unknown): void {
    this.sent.push(data);
  }

  close(...args: unknown[]): void {
    this.closed = args;
  }
}

export class FakeCloseEvent extends Event {
  readonly code: number | undefined;
  readonly wasClean: boolean | undefined;
  constructor(type: string, init: CloseEventInit = {}) {
    super(type);
    this.code = init.code;
    this.wasClean = init.wasClean;
  }
}

class FakeDocument extends EventTarget {
  declare readonly hidden: boolean;
}
Object.defineProperty(FakeDocument.prototype, "hidden", { configurable: true, get: () => false });

export class FakePage extends EventTarget implements Page {
  WebSocket = FakeSocket as unknown as typeof WebSocket;
  CloseEvent = FakeCloseEvent as unknown as typeof CloseEvent;
  navigator: { readonly onLine: boolean } = Object.create({ onLine: true });
  readonly document = new FakeDocument();
  // Looked up on each call, because tests replace the timers.
  setTimeout = (handler: TimerHandler, ms?: number) => Number(setTimeout(handler as () => void, ms));
  clearTimeout = (id: number | undefined) => clearTimeout(id);
  setInterval = (handler: TimerHandler, ms?: number) => Number(setInterval(handler as () => void, ms));
  clearInterval = (id: number | undefined) => clearInterval(id);
  /** The server's answer; without one, a request ends only when it is aborted, like a held poll. */
  answer: string | undefined;
  readonly asked: (AbortSignal | null | undefined)[] = [];
  fetch: typeof fetch = (_input, init) => {
    this.asked.push(init?.signal);
    if (this.answer !== undefined) return Promise.resolve(new Response(this.answer));
    return new Promise((_resolve, reject) => {
      init?.signal?.addEventListener("abort", () => reject(init.signal?.reason), { once: true });
    });
  };
}

/** The events of a socket, in order. */
export function recordEvents(socket: WebSocket): string[] {
  const seen: string[] = [];
  socket.onopen = () => seen.push("open");
  socket.onmessage = ({ data }) => seen.push(`message ${data}`);
  socket.onerror = () => seen.push("error");
  socket.onclose = ({ code, wasClean }) => seen.push(`close ${code} ${wasClean}`);
  return seen;
}
