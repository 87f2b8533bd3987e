// Honest clients: they are members of a channel, send to it, and subscribe to others now and then. They measure how long
// that takes, and count how many of them are closed.

import type WebSocket from "ws";
import { type Frame, hello, openSocket, send, subscribe, unsubscribe } from "./wire.js";

/** Every client sends and subscribes once in this time, in ms. */
const PERIOD = 500;

/** An answer that takes longer than this counts as taking this long, in ms. */
const PATIENCE = 30_000;

interface Measured {
  readonly sends: number[];
  readonly subscribes: number[];
}

export class Honest {
  readonly #socket: WebSocket;
  readonly #waiting = new Map<string, (ms: number) => void>();
  closed = false;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.on("message", (text) => {
      for (const frame of JSON.parse(String(text)) as Frame[]) this.#receive(frame);
    });
    socket.on("close", () => {
      this.closed = true;
    });
  }

  static async connect(port: number, user: string): Promise<Honest> {
    const socket = openSocket(port, "127.0.0.1");
    const honest = new Honest(socket);
    await new Promise((opened) => socket.once("open", opened));
    await honest.#ask("welcome", [hello(user), subscribe(`private-user.${user}`)]);
    await honest.#ask("subscribed presence-hall", [subscribe("hall"), subscribe("presence-hall")]);
    return honest;
  }

  /** Sends a message, and returns how long its ack took. */
  send(): Promise<number> {
    const frame = send("hall", "hello");
    return this.#ask(`ack ${String(frame.id)}`, [frame]);
  }

  /** Subscribes to a channel, and returns how long the answer took. */
  async subscribe(channel: string): Promise<number> {
    const took = await this.#ask(`subscribed ${channel}`, [subscribe(channel)]);
    this.#socket.send(JSON.stringify([unsubscribe(channel)]));
    return took;
  }

  close(): void {
    this.#socket.removeAllListeners("close");
    this.#socket.terminate();
  }

  #ask(answer: string, frames: readonly Frame[]): Promise<number> {
    const start = performance.now();
    return new Promise((answered) => {
      const late = setTimeout(() => this.#waiting.get(answer)?.(PATIENCE), PATIENCE);
      this.#waiting.set(answer, (ms) => {
        clearTimeout(late);
        this.#waiting.delete(answer);
        answered(Math.min(ms, PATIENCE));
      });
      this.#socket.send(JSON.stringify(frames));
    }).then((ms) => (ms === PATIENCE ? PATIENCE : performance.now() - start));
  }

  #receive(frame: Frame): void {
    if (frame.type === "ping") this.#socket.send(JSON.stringify([{ type: "pong", nonce: frame.nonce }]));
    const about = frame.type === "ack" ? frame.id : frame.channel;
    const key = frame.type === "welcome" ? "welcome" : `${frame.type} ${String(about)}`;
    this.#waiting.get(key)?.(0);
  }
}

/** All of them do what they do for a while. */
export async function measure(all: readonly Honest[], forMs: number): Promise<Measured> {
  const measured: Measured = { sends: [], subscribes: [] };
  const end = performance.now() + forMs;
  const live = async (one: Honest, index: number) => {
    await sleep((index * PERIOD) / all.length);
    for (let turn = 0; performance.now() < end && !one.closed; turn++) {
      const start = performance.now();
      measured.sends.push(await one.send());
      measured.subscribes.push(await one.subscribe(`room-${index}-${turn % 8}`));
      await sleep(Math.max(0, PERIOD - (performance.now() - start)));
    }
  };
  await Promise.all(all.map(live));
  return measured;
}

/** The 99th percentile. */
export function p99(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * 0.99))] ?? PATIENCE;
}

export const sleep = (ms: number) => new Promise<void>((over) => setTimeout(over, ms));
