// The fault layer: puts itself in place of the page's WebSocket, fetch and timers, and breaks them when told to. It knows
// nothing of Everwire, and Everwire nothing of it: what the client meets is what it would meet on a bad network.

import { type FaultState, NO_FAULTS } from "./faultState";
import { Requests } from "./faultyFetch";
import { type Breakable, type SocketPage, type SocketWatch, socketClass } from "./faultySocket";
import { type OnlinePage, overrideOnLine } from "./navigatorOnline";
import { type FreezablePage, Freezer } from "./pageFreezer";

/** The parts of a browser's window that the layer replaces or uses. A test passes its own. */
export interface Page extends SocketPage, OnlinePage, FreezablePage {
  fetch: typeof fetch;
  dispatchEvent(event: Event): boolean;
}

/** A restart that the server announces. */
export interface Restart {
  /** What it says before it goes. */
  readonly text: string;
  /** With this it closes. */
  readonly code: number;
  /** So long after its words, in ms. */
  readonly closeMs: number;
  /** So long it is away, in ms. */
  readonly awayMs: number;
}

export class FaultLayer {
  #state: FaultState = NO_FAULTS;
  #page: Page | undefined;
  readonly #freezer = new Freezer();
  readonly #sockets = new Set<Breakable>();
  readonly #listeners = new Set<() => void>();
  /** What ends the sockets that are open, while a proxy kills them. */
  readonly #kills = new Map<Breakable, () => void>();
  #thaw: (() => void) | undefined;
  #back: (() => void) | undefined;
  readonly #watch: SocketWatch;
  readonly #requests: Requests;

  /** `random`: what decides which messages are lost. */
  constructor(random: () => number = Math.random) {
    const away = () => this.#state.offline || this.#state.restarting;
    const network = {
      freezer: this.#freezer,
      weather: () => this.#state,
      random,
      swallows: () => this.#state.blackHole,
    };
    this.#watch = {
      ...network,
      refuses: () => this.#state.websocketBlocked || away(),
      made: (socket) => this.#sockets.add(socket),
      opened: (socket) => this.#killLater(socket),
      closed: (socket) => {
        this.#sockets.delete(socket);
        this.#spare(socket);
      },
    };
    this.#requests = new Requests({ ...network, refuses: away });
  }

  get state(): FaultState {
    return this.#state;
  }

  /** How many sockets and requests are alive. */
  get live(): { sockets: number; requests: number } {
    return { sockets: this.#sockets.size, requests: this.#requests.count };
  }

  /** Time that goes on while the page is frozen. */
  get clock() {
    return this.#freezer.clock;
  }

  /** Calls `listener` when a fault begins, changes or ends; returns what stops that. */
  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Takes its place in the page. Once, and before anything connects. */
  install(page: Page): void {
    if (this.#page !== undefined) return;
    this.#page = page;
    this.#freezer.install(page);
    page.WebSocket = socketClass(page, this.#watch);
    page.fetch = this.#requests.through(page.fetch.bind(page));
    overrideOnLine(page, () => this.#state.offline);
  }

  /** Cuts every live socket and every request under way, once. What connects next is let through. */
  drop(): void {
    this.#cutSockets();
    this.#requests.cut();
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

  /** Adds this to each direction, in ms. What is under way keeps the time that it was given. */
  delay(latencyMs: number): void {
    this.#change({ latencyMs });
  }

  /** From now on, this share (0 to 1) of requests fails, and this share of messages stalls its WebSocket. */
  lose(loss: number): void {
    this.#change({ loss });
  }

  /**
   * What is open stays open and carries nothing any more, also afterwards; what is new gets no answer until the hole is
   * closed. Nobody is told.
   */
  blackHole(open: boolean): void {
    this.#change({ blackHole: open });
    if (!open) return;
    for (const socket of this.#sockets) socket.goDark();
    this.#requests.goDark();
  }

  /** Cuts every WebSocket so long after it opened, in ms; those that are open, so long from now. 0 ends it. */
  killAfter(killAfterMs: number): void {
    this.#change({ killAfterMs });
    for (const socket of [...this.#kills.keys()]) this.#spare(socket);
    for (const socket of this.#sockets) if (socket.isOpen) this.#killLater(socket);
  }

  /** Holds back timers and the network for so long, in ms. */
  freeze(ms: number): void {
    if (this.#state.frozen) return;
    this.#change({ frozen: true });
    this.#freezer.freeze();
    this.#thaw = this.clock.after(ms, () => this.thaw());
  }

  thaw(): void {
    if (!this.#state.frozen) return;
    this.#thaw?.();
    this.#change({ frozen: false });
    this.#freezer.thaw();
  }

  /** What a planned restart of the server looks like from here. Requests fail while it is away. */
  restart({ text, code, closeMs, awayMs }: Restart): void {
    if (this.#state.restarting) return;
    this.#change({ restarting: true });
    for (const socket of this.#sockets) socket.hear(text);
    const going = this.clock.after(closeMs, () => {
      this.#requests.cut();
      for (const socket of [...this.#sockets]) socket.closeGently(code);
    });
    const back = this.clock.after(closeMs + awayMs, () => this.#change({ restarting: false }));
    this.#back = () => {
      going();
      back();
    };
  }

  /** Ends every fault. */
  heal(): void {
    this.#back?.();
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

  #killLater(socket: Breakable): void {
    const { killAfterMs } = this.#state;
    if (killAfterMs > 0)
      this.#kills.set(
        socket,
        this.clock.after(killAfterMs, () => socket.cut()),
      );
  }

  #spare(socket: Breakable): void {
    this.#kills.get(socket)?.();
    this.#kills.delete(socket);
  }
}
