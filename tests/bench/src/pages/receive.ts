// The page of `bench receive`: all clients in one page, measured one after the other.

import "./count-messages.js";
import { openAtEverwire, openBatched, openSingle } from "./clients/bare.js";
import { open as centrifuge } from "./clients/centrifuge.js";
import type { Open, Target } from "./clients/client.js";
import { open as everwire } from "./clients/everwire.js";
import { open as phoenix } from "./clients/phoenix.js";
import { open as pusher } from "./clients/pusher.js";
import { openWebSocket as socketIo } from "./clients/socketio.js";
import { takeCount } from "./count-messages.js";

const clients = {
  bare: openSingle,
  batched: openBatched,
  atEverwire: openAtEverwire,
  everwire,
  pusher,
  phoenix,
  centrifuge,
  socketIo,
};

/** The clients that can be measured. */
export type ClientName = keyof typeof clients;

/** The result. */
export interface Received {
  /** From the first message at the listener to the last, in ms. */
  readonly milliseconds: number;
  /** WebSocket messages between opening and the last message, including those of the protocol. */
  readonly webSocketMessages: number;
  /** Messages at the listener that did not follow the previous one. */
  readonly outOfOrder: number;
}

/** The timeout without messages, after which a measurement is aborted. */
const TIMEOUT_MS = 20_000;

/** Receives `count` messages. `trigger` is fetched when subscribed, for servers that do not send without a request. */
async function measure(name: ClientName, target: Target, count: number, trigger?: string): Promise<Received> {
  const open: Open = clients[name];
  takeCount();
  let [received, last, outOfOrder, began] = [0, 0, 0, 0];
  let close: (() => unknown) | undefined;
  let watchdog: ReturnType<typeof setInterval> | undefined;
  try {
    return await new Promise<Received>((resolve, reject) => {
      const message = ({ offset }: { readonly offset: number }): void => {
        if (offset !== last + 1) outOfOrder++;
        last = offset;
        if (received === 0) began = performance.now();
        if (++received !== count) return;
        resolve({ milliseconds: performance.now() - began, webSocketMessages: takeCount(), outOfOrder });
      };
      const subscribed = (): void => {
        if (trigger !== undefined) void fetch(trigger, { mode: "no-cors" });
      };
      let before = -1;
      watchdog = setInterval(() => {
        if (received === before)
          reject(new Error(`${name} received ${received} of ${count} messages, then nothing more`));
        before = received;
      }, TIMEOUT_MS);
      close = open(target, { connected() {}, subscribed, message });
    });
  } finally {
    clearInterval(watchdog);
    await close?.();
  }
}

Object.assign(globalThis, { measure });
