// `bench fanout`: what it costs a server to deliver messages to many receivers, for Everwire and for Node's `ws`, alternating in one
// run: one message at a time, and as many as the receivers can take. The receivers are plain sockets in this process; what is
// measured is the CPU time of the server's process, which other load on the machine hardly changes.

import { randomUUID } from "node:crypto";
import { SUBPROTOCOL, WEBSOCKET_PATH } from "../../../../protocol/generated/protocol";
import { Disposables } from "../run/disposables.js";
import { startEmptyEverwire } from "../run/everwire.js";
import { cpuBetween, cpuTime } from "../run/process-usage.js";
import { startServer } from "../run/processes.js";
import { MarkCounter, openRaw, type RawWebSocket } from "../run/raw-websocket.js";
import { rotated, rounded, type Spread, spread } from "../run/statistics.js";

/** One at a time: a message every 50 ms. */
const EVERY_MS = 50;

/** At full speed: how many messages may be under way, not received by everybody. */
const UNDER_WAY = 256;

/** How many of them travel to the server in one WebSocket message. */
const TOGETHER = 32;

/** How long nothing may arrive before the run is given up, in ms. */
const PATIENCE_MS = 20_000;

const CHANNEL = "bench.fanout";
const TEXT = "Who can have a look at the tablet layout? The second column jumps.";

export const PACES = ["one at a time", "full speed"] as const;
export type Pace = (typeof PACES)[number];
export type Name = "everwire" | "ws";

/** One row of the result. */
export interface Row {
  readonly name: Name;
  readonly pace: Pace;
  /** Messages received by one receiver, over all rounds; each of them received as many. */
  readonly messages: number;
  readonly deliveries_per_cpu_second: Spread;
  /** Microseconds of CPU for one delivery, and how many of them in the kernel: medians. */
  readonly us_per_delivery: number;
  readonly us_in_kernel: number;
}

export interface Result {
  readonly benchmark: "fanout";
  readonly receivers: number;
  readonly rounds: number;
  readonly rows: readonly Row[];
  /** Everwire's deliveries per CPU-second divided by those of ws. */
  readonly ratios: { readonly one_at_a_time: number; readonly full_speed: number };
}

export interface Options {
  readonly receivers: number;
  readonly rounds: number;
  /** Messages in a round one at a time. */
  readonly messages: number;
  /** Messages in a round at full speed. */
  readonly fast: number;
  readonly progress?: (line: string) => void;
}

interface Contender {
  readonly name: Name;
  readonly pid: number;
  /** Opens a socket that receives, and one that publishes. */
  receive(onBytes: (bytes: Buffer) => void, onClose: () => void, index: number): Promise<RawWebSocket>;
  publisher(onClose: () => void): Promise<RawWebSocket>;
  /** What a publisher sends for these messages, by number. */
  texts(numbers: readonly number[]): string[];
}

export async function fanout(options: Options): Promise<Result> {
  const { receivers, rounds, messages, fast, progress = () => {} } = options;
  await using disposables = new Disposables();
  progress("starting servers");
  const server = disposables.add(await startEmptyEverwire());
  const peer = disposables.add(await startServer("broadcast"));
  const contenders = [everwire(server.url, server.pid), ws(peer.port, peer.pid)];
  const samples = new Map<string, Sample[]>();
  for (let round = 0; round < rounds; round++) {
    for (const contender of rotated(contenders, round)) {
      for (const pace of PACES) {
        const count = pace === "full speed" ? fast : messages;
        const sample = await measure(contender, pace, receivers, count);
        const key = `${contender.name}/${pace}`;
        samples.set(key, [...(samples.get(key) ?? []), sample]);
        const each = rounded((sample.cpu * 1e6) / sample.deliveries, 2);
        progress(`${round + 1}/${rounds} ${contender.name}, ${pace}: ${each} µs a delivery`);
      }
    }
  }
  const rows = [...samples].map(([key, taken]) => row(key, taken));
  const speed = (name: Name, pace: Pace) =>
    rows.find((row) => row.name === name && row.pace === pace)?.deliveries_per_cpu_second.median ??
    Number.NaN;
  const ratio = (pace: Pace) => rounded(speed("everwire", pace) / speed("ws", pace), 2);
  const ratios = { one_at_a_time: ratio("one at a time"), full_speed: ratio("full speed") };
  return { benchmark: "fanout", receivers, rounds, rows, ratios };
}

interface Sample {
  readonly messages: number;
  readonly deliveries: number;
  readonly cpu: number;
  readonly kernel: number;
}

async function measure(contender: Contender, pace: Pace, receivers: number, count: number): Promise<Sample> {
  const room = await Room.open(contender, receivers);
  try {
    // The first message finds caches cold and buffers unallocated.
    await room.publishSlowly(5);
    const before = cpuTime(contender.pid);
    await (pace === "full speed" ? room.publishFast(count) : room.publishSlowly(count));
    const { user, system } = cpuBetween(before, cpuTime(contender.pid));
    room.checkCounts();
    return { messages: count, deliveries: count * receivers, cpu: user + system, kernel: system };
  } finally {
    room.close();
  }
}

/** The receivers of one server, and a publisher. */
class Room {
  readonly #contender: Contender;
  readonly #sockets: RawWebSocket[] = [];
  readonly #counters: MarkCounter[] = [];
  /** How many receivers have received at least as many messages as the index says. */
  readonly #reached: number[] = [];
  /** Everybody has received this many messages. */
  #received = 0;
  #published = 0;
  #changed = () => {};
  #failed: Error | undefined;

  private constructor(contender: Contender) {
    this.#contender = contender;
  }

  static async open(contender: Contender, receivers: number): Promise<Room> {
    const room = new Room(contender);
    const onClose = () => room.#fail(`${contender.name} has closed a connection`);
    for (let index = 0; index < receivers; index++) {
      const counter = new MarkCounter();
      room.#counters.push(counter);
      const onBytes = (bytes: Buffer) => room.#count(counter, bytes);
      room.#sockets.push(await contender.receive(onBytes, onClose, index));
    }
    room.#sockets.push(await contender.publisher(onClose));
    return room;
  }

  /** One message every 50 ms. Returns when everybody has received all. */
  async publishSlowly(count: number): Promise<void> {
    const began = performance.now();
    for (let n = 0; n < count; n++) {
      const wait = began + n * EVERY_MS - performance.now();
      if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
      this.#publish(1);
    }
    await this.#until(() => this.#received >= this.#published);
  }

  /** As fast as everybody receives. */
  async publishFast(count: number): Promise<void> {
    const end = this.#published + count;
    while (this.#published < end) {
      const together = Math.min(TOGETHER, end - this.#published);
      await this.#until(() => this.#published + together - this.#received <= UNDER_WAY);
      this.#publish(together);
    }
    await this.#until(() => this.#received >= end);
  }

  /** Everybody has received every message once. */
  checkCounts(): void {
    const wrong = this.#counters.find(({ count }) => count !== this.#published);
    if (wrong !== undefined) {
      throw new Error(
        `a receiver of ${this.#contender.name} has ${wrong.count} of ${this.#published} messages`,
      );
    }
  }

  close(): void {
    for (const socket of this.#sockets) socket.close();
  }

  #publish(count: number): void {
    const numbers = Array.from({ length: count }, () => this.#published++);
    for (const text of this.#contender.texts(numbers)) this.#sockets.at(-1)?.send(text);
  }

  #count(counter: MarkCounter, bytes: Buffer): void {
    const before = counter.count;
    counter.add(bytes);
    for (let n = before + 1; n <= counter.count; n++) this.#reached[n] = (this.#reached[n] ?? 0) + 1;
    const received = this.#received;
    while (this.#reached[this.#received + 1] === this.#counters.length) this.#received++;
    if (this.#received > received) this.#changed();
  }

  #fail(reason: string): void {
    this.#failed ??= new Error(reason);
    this.#changed();
  }

  /** Waits until this is so; it is looked at whenever everybody has received something more. */
  async #until(so: () => boolean): Promise<void> {
    while (!so()) {
      if (this.#failed) throw this.#failed;
      await new Promise<void>((resolve, reject) => {
        const timer = setTimeout(() => reject(new Error("messages do not arrive")), PATIENCE_MS);
        this.#changed = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }
}

function everwire(url: string, pid: number): Contender {
  const address = new URL(WEBSOCKET_PATH, url);
  const hello = (user: string) => ({
    type: "hello",
    version: 1,
    session: randomUUID(),
    guest: { user, name: user },
  });
  const data = { text: TEXT };
  return {
    name: "everwire",
    pid,
    async receive(onBytes, onClose, index) {
      // Subscribed before the next one connects.
      let subscribed = () => {};
      const answered = new Promise<void>((resolve) => {
        subscribed = resolve;
      });
      const socket = await openRaw(
        address,
        SUBPROTOCOL,
        (bytes) => {
          if (bytes.includes('"type":"subscribed"')) subscribed();
          else onBytes(bytes);
        },
        onClose,
      );
      socket.send(JSON.stringify([hello(`receiver-${index}`), { type: "subscribe", channel: CHANNEL }]));
      await answered;
      return socket;
    },
    async publisher(onClose) {
      const socket = await openRaw(address, SUBPROTOCOL, () => {}, onClose);
      socket.send(JSON.stringify([hello("publisher")]));
      return socket;
    },
    texts: (numbers) => [
      JSON.stringify(numbers.map(() => ({ type: "send", id: randomUUID(), channel: CHANNEL, data }))),
    ],
  };
}

function ws(port: number, pid: number): Contender {
  const address = new URL(`http://127.0.0.1:${port}/`);
  // What a receiver of Everwire receives.
  const text = (offset: number) =>
    JSON.stringify([
      {
        type: "message",
        channel: CHANNEL,
        offset,
        id: randomUUID(),
        user: "publisher",
        name: "publisher",
        at: Date.now(),
        data: { text: TEXT },
      },
    ]);
  return {
    name: "ws",
    pid,
    receive: (onBytes, onClose) => openRaw(address, undefined, onBytes, onClose),
    publisher: (onClose) => openRaw(address, undefined, () => {}, onClose),
    texts: (numbers) => numbers.map(text),
  };
}

function row(key: string, samples: readonly Sample[]): Row {
  const [name, pace] = key.split("/");
  return {
    name: name as Name,
    pace: pace as Pace,
    messages: samples.reduce((sum, { messages }) => sum + messages, 0),
    deliveries_per_cpu_second: spread(samples.map(({ deliveries, cpu }) => deliveries / cpu)),
    us_per_delivery: spread(
      samples.map(({ deliveries, cpu }) => (cpu * 1e6) / deliveries),
      2,
    ).median,
    us_in_kernel: spread(
      samples.map(({ deliveries, kernel }) => (kernel * 1e6) / deliveries),
      2,
    ).median,
  };
}
