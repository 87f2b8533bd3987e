// The page of `bench faults`: one client, which is loaded by name and then observed. The parameters are in the page's
// URL.

import type { Listener, Open, Target } from "./clients/client.js";

const clients = {
  everwire: async () => (await import("./clients/everwire.js")).open,
  pusher: async () => (await import("./clients/pusher.js")).open,
  centrifuge: async () => (await import("./clients/centrifuge.js")).open,
  socketIo: async () => (await import("./clients/socketio.js")).open,
} satisfies Record<string, () => Promise<Open>>;

/** The clients that can be measured. */
export type ClientName = keyof typeof clients;

/** The page's commands. */
export interface Parameters {
  readonly client: ClientName;
  readonly target: Target;
}

/** Resolves to the time in ms, or to null when `limitMs` have passed. */
function timed(limitMs: number, begin: (done: () => void) => void): Promise<number | null> {
  return new Promise((resolve) => {
    const began = performance.now();
    setTimeout(() => resolve(null), limitMs);
    begin(() => resolve(performance.now() - began));
  });
}

const { client, target } = JSON.parse(decodeURIComponent(location.hash.slice(1))) as Parameters;
const received: number[] = [];
const waiting = {
  connected: new Set<() => void>(),
  subscribed: new Set<() => void>(),
  message: new Set<() => void>(),
};
const notify = (what: keyof typeof waiting) => {
  for (const done of waiting[what]) done();
  waiting[what].clear();
};
const listener: Listener = {
  connected: () => notify("connected"),
  subscribed: () => notify("subscribed"),
  message({ offset }) {
    received.push(offset);
    notify("message");
  },
};

const faults = {
  /** From opening the client until something happens for the first time. */
  async open(until: keyof typeof waiting, limitMs: number): Promise<number | null> {
    const open = await clients[client]();
    return timed(limitMs, (done) => {
      waiting[until].add(done);
      open(target, listener);
    });
  },
  /** From now, or from an event that is dispatched now, until something happens for the next time. */
  next(until: keyof typeof waiting, limitMs: number, event?: "online"): Promise<number | null> {
    return timed(limitMs, (done) => {
      waiting[until].add(done);
      if (event) dispatchEvent(new Event(event));
    });
  },
  /** The offsets of all messages at the listener, in the order of arrival. */
  received: () => received,
};

Object.assign(globalThis, { faults });
