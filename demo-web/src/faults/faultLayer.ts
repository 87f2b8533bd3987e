// The fault layer: replaces the page's WebSocket, fetch and timers, and injects faults into them. It is independent of
// Everwire: the client observes what it would observe on a bad network.

import { type FaultState, NO_FAULTS } from "./faultState";
import { FaultyFetch } from "./faultyFetch";
import { type BreakableSocket, type SocketHooks, type SocketPage, socketClass } from "./faultySocket";
import { type OnlinePage, overrideOnLine } from "./navigatorOnline";
import { type FreezablePage, PageFreezer } from "./pageFreezer";

/** The parts of `window` that the layer replaces or uses. Tests pass their own. */
export interface Page extends SocketPage, OnlinePage, FreezablePage {
  fetch: typeof fetch;
  dispatchEvent(event: Event): boolean;
}

/** A restart that the server announces. */
export interface Restart {
  /** The announcement, as a batch of frames. */
  readonly text: string;
  /** The close code. */
  readonly code: number;
  /** Time between the announcement and the close, in ms. */
  readonly closeMs: number;
  /** How long the server is unreachable, in ms. */
  readonly awayMs: number;
}

export class FaultLayer {
  #state: FaultState = NO_FAULTS;
  #page: Page | undefined;
  readonly #freezer = new PageFreezer();
  readonly #sockets = new Set<BreakableSocket>();
  readonly #listeners = new Set<() => void>();
  /** The timers that close open sockets, while sockets are killed. */
  readonly #kills = new Map<BreakableSocket, () => void>();
  #cancelThaw: (() => void) | undefined;
  #cancelRestart: (() => void) | undefined;
  readonly #hooks: SocketHooks;
  readonly #fetch: FaultyFetch;

  /** `random` decides which messages are lost. */
  constructor(random: () => number = Math.random) {
    const unreachable = () => this.#state.offline || this.#state.restarting;
    const network = {
      freezer: this.#freezer,
      conditions: () => this.#state,
      random,
      dropsSilently: () => this.#state.blackHole,
    };
    this.#hooks = {
      ...network,
      refuses: () => this.#state.websocketBlocked || unreachable(),
      created: (socket) => this.#sockets.add(socket),
      opened: (socket) => this.#scheduleKill(socket),
      closed: (socket) => {
        this.#sockets.delete(socket);
        this.#cancelKill(socket);
      },
    };
    this.#fetch = new FaultyFetch({ ...network, refuses: unreachable });
  }

  get state(): FaultState {
    return this.#state;
  }

  /** The number of open sockets and pending requests. */
  get live(): { sockets: number; requests: number } {
    return { sockets: this.#sockets.size, requests: this.#fetch.count };
  }

  /** A clock that runs on while the page is frozen. */
  get clock() {
    return this.#freezer.clock;
  }

  /** Calls `listener` when a fault begins, changes or ends; returns a function that unsubscribes. */
  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Replaces the page's functions. To be called once, before anything connects. */
  install(page: Page): void {
    if (this.#page !== undefined) return;
    this.#page = page;
    this.#freezer.install(page);
    page.WebSocket = socketClass(page, this.#hooks);
    page.fetch = this.#fetch.wrap(page.fetch.bind(page));
    overrideOnLine(page, () => this.#state.offline);
  }

  /** Cuts every open socket and every pending request once. New connections are allowed. */
  drop(): void {
    this.#cutSockets();
    this.#fetch.cut();
  }

  /** While blocked, open WebSockets are cut and new ones fail. Requests are not affected. */
  blockWebSocket(blocked: boolean): void {
    this.#change({ websocketBlocked: blocked });
    if (blocked) this.#cutSockets();
  }

  /** While offline, sockets and requests fail, and the page gets the browser's offline event. */
  goOffline(offline: boolean): void {
    if (this.#state.offline === offline) return;
    this.#change({ offline });
    if (offline) {
      // Browsers tell at once that the network is gone; connections notice later.
      this.#page?.dispatchEvent(new Event("offline"));
      this.drop();
    } else if (this.#page?.navigator.onLine) {
      this.#page.dispatchEvent(new Event("online"));
    }
  }

  /** Adds latency to each direction, in ms. Data in flight is not affected. */
  delay(latencyMs: number): void {
    this.#change({ latencyMs });
  }

  /** Sets the share (0 to 1) of requests that fail and of messages that stall their WebSocket. */
  lose(loss: number): void {
    this.#change({ loss });
  }

  /**
   * Open connections stay open but carry nothing, even after the fault ends; new ones get no response until it ends. No
   * error is reported.
   */
  blackHole(open: boolean): void {
    this.#change({ blackHole: open });
    if (!open) return;
    for (const socket of this.#sockets) socket.silence();
    this.#fetch.silence();
  }

  /**
   * Cuts every WebSocket this long after it opened, in ms; sockets that are open, this long from now. 0 ends the fault.
   */
  killAfter(killAfterMs: number): void {
    this.#change({ killAfterMs });
    for (const socket of [...this.#kills.keys()]) this.#cancelKill(socket);
    for (const socket of this.#sockets) if (socket.isOpen) this.#scheduleKill(socket);
  }

  /** Holds timers and network events for this long, in ms. */
  freeze(ms: number): void {
    if (this.#state.frozen) return;
    this.#change({ frozen: true });
    this.#freezer.freeze();
    this.#cancelThaw = this.clock.after(ms, () => this.thaw());
  }

  thaw(): void {
    if (!this.#state.frozen) return;
    this.#cancelThaw?.();
    this.#change({ frozen: false });
    this.#freezer.thaw();
  }

  /** Simulates a planned restart of the server. Requests fail while it is unreachable. */
  restart({ text, code, closeMs, awayMs }: Restart): void {
    if (this.#state.restarting) return;
    this.#change({ restarting: true });
    for (const socket of this.#sockets) socket.injectMessage(text);
    const going = this.clock.after(closeMs, () => {
      this.#fetch.cut();
      for (const socket of [...this.#sockets]) socket.closeFromServer(code);
    });
    const back = this.clock.after(closeMs + awayMs, () => this.#change({ restarting: false }));
    this.#cancelRestart = () => {
      going();
      back();
    };
  }

  /** Ends every fault. */
  endAll(): void {
    this.#cancelRestart?.();
    this.killAfter(0);
    this.#change({ latencyMs: 0, loss: 0, websocketBlocked: false, blackHole: false, restarting: false });
    this.thaw();
    this.goOffline(false);
  }

  #change(change: Partial<FaultState>): void {
    this.#state = { ...this.#state, ...change };
    for (const listener of this.#listeners) listener();
  }

  #cutSockets(): void {
    for (const socket of [...this.#sockets]) socket.cut();
  }

  #scheduleKill(socket: BreakableSocket): void {
    const { killAfterMs } = this.#state;
    if (killAfterMs > 0)
      this.#kills.set(
        socket,
        this.clock.after(killAfterMs, () => socket.cut()),
      );
  }

  #cancelKill(socket: BreakableSocket): void {
    this.#kills.get(socket)?.();
    this.#kills.delete(socket);
  }
}
