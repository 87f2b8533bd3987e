// The fault layer: puts itself in place of the page's WebSocket and fetch, and breaks them when told to. It knows nothing
// of Everwire, and Everwire nothing of it: what the client meets is what it would meet on a bad network.

import { socketClass } from "./socket";

/** The parts of a browser's window that the layer replaces or uses. A test passes its own. */
export interface Page {
  WebSocket: typeof WebSocket;
  fetch: typeof fetch;
  CloseEvent: typeof CloseEvent;
  navigator: { readonly onLine: boolean };
  addEventListener(type: string, listener: (event: Event) => void, capture: boolean): void;
  dispatchEvent(event: Event): boolean;
}

/** Which faults are in force. A new object whenever one changes. */
export interface FaultState {
  readonly websocketBlocked: boolean;
  readonly offline: boolean;
}

/** One thing that can be cut from underneath: a socket, or a request under way. */
export interface Cuttable {
  cut(): void;
}

export class FaultLayer {
  #state: FaultState = { websocketBlocked: false, offline: false };
  #page: Page | undefined;
  readonly #sockets = new Set<Cuttable>();
  readonly #requests = new Set<AbortController>();
  readonly #listeners = new Set<() => void>();

  get state(): FaultState {
    return this.#state;
  }

  /** How many sockets and requests are alive. */
  get live(): { sockets: number; requests: number } {
    return { sockets: this.#sockets.size, requests: this.#requests.size };
  }

  /** Calls `listener` when a fault begins or ends; returns what stops that. */
  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Takes its place in the page. Once, and before anything connects. */
  install(page: Page): void {
    if (this.#page !== undefined) return;
    this.#page = page;
    page.WebSocket = socketClass(page, {
      refuses: () => this.#state.websocketBlocked || this.#state.offline,
      opened: (socket) => this.#sockets.add(socket),
      closed: (socket) => this.#sockets.delete(socket),
    });
    page.fetch = this.#fetchThrough(page.fetch.bind(page));
    this.#overrideOnLine(page);
  }

  /** Cuts every live socket and every request under way, once. What connects next is let through. */
  drop(): void {
    this.#cutSockets();
    this.#cutRequests();
  }

  /** While blocked, every WebSocket that is alive dies and every new one fails. Requests are not touched. */
  blockWebSocket(blocked: boolean): void {
    this.#change({ websocketBlocked: blocked });
    if (blocked) this.#cutSockets();
  }

  /** While offline, sockets and requests fail, and the page is told so as by the browser. */
  goOffline(offline: boolean): void {
    if (this.#state.offline === offline) return;
    this.#change({ offline });
    if (offline) {
      // A browser knows at once that the network is gone; what is open notices later.
      this.#page?.dispatchEvent(new Event("offline"));
      this.drop();
    } else if (this.#page?.navigator.onLine) {
      this.#page.dispatchEvent(new Event("online"));
    }
  }

  #change(change: Partial<FaultState>): void {
    this.#state = { ...this.#state, ...change };
    for (const listener of this.#listeners) listener();
  }

  #cutSockets(): void {
    for (const socket of [...this.#sockets]) socket.cut();
  }

  #cutRequests(): void {
    for (const request of [...this.#requests]) request.abort(networkError());
  }

  #fetchThrough(native: typeof fetch): typeof fetch {
    return async (input, init) => {
      if (this.#state.offline) throw networkError();
      const cut = new AbortController();
      const asked = init?.signal ?? (input instanceof Request ? input.signal : undefined);
      const signal = asked ? AbortSignal.any([asked, cut.signal]) : cut.signal;
      this.#requests.add(cut);
      try {
        return await native(input, { ...init, signal });
      } finally {
        this.#requests.delete(cut);
      }
    };
  }

  /** Makes `navigator.onLine` false while offline, and keeps the browser's own `online` from saying otherwise. */
  #overrideOnLine(page: Page): void {
    const { navigator } = page;
    const prototype = Object.getPrototypeOf(navigator);
    const real = () => Boolean(Reflect.get(prototype, "onLine", navigator) ?? true);
    Object.defineProperty(navigator, "onLine", {
      configurable: true,
      get: () => real() && !this.#state.offline,
    });
    page.addEventListener(
      "online",
      (event) => {
        if (this.#state.offline) event.stopImmediatePropagation();
      },
      true,
    );
  }
}

/** What a browser's fetch rejects with when there is no network. */
function networkError(): TypeError {
  return new TypeError("Failed to fetch");
}
