// `bench sends`: how many messages a second the server stores, from 1, 10 and 100 senders, and how long a message takes from `send` to
// its `ack`: beside what the disk takes for one write, measured in the same directory before and after.

import { randomUUID } from "node:crypto";
import { SUBPROTOCOL, WEBSOCKET_PATH } from "../../../../protocol/generated/protocol";
import { Disposables } from "../run/disposables.js";
import { type EmptyEverwire, startEmptyEverwire } from "../run/everwire.js";
import { fsyncTimes } from "../run/fsync.js";
import { cpuTime } from "../run/process-usage.js";
import { MarkCounter, openRaw, type RawWebSocket } from "../run/raw-websocket.js";
import { quantile, rounded, type Spread, spread } from "../run/statistics.js";

/** How many senders there are. */
export const SENDERS = [1, 10, 100] as const;

/** How many messages of a sender may be without an ack: one, and as many as the client of the package has. */
export const IN_FLIGHT = [1, 32] as const;

/** How often the disk is asked before a measurement, and after it. */
const WRITES = 100;

/** When a run is given up because no ack arrives, in ms. */
const PATIENCE_MS = 20_000;

const ACK = Buffer.from('"type":"ack"');
const TEXT = "Who can have a look at the tablet layout? The second column jumps.";

export interface Row {
  readonly senders: number;
  readonly in_flight: number;
  readonly per_second: Spread;
  /** The same divided by how many single writes to the disk would fit in a second. */
  readonly per_disk_write: Spread;
  /** From `send` to `ack`, in ms. */
  readonly ack_p50_ms: Spread;
  readonly ack_p99_ms: Spread;
  /** The server's CPU time for a message, in µs. */
  readonly us_per_send: Spread;
}

export interface Result {
  readonly benchmark: "sends";
  readonly messages: number;
  readonly rounds: number;
  /** One write to the disk, in ms. */
  readonly disk_write_p50_ms: Spread;
  readonly disk_write_p99_ms: Spread;
  readonly rows: readonly Row[];
}

export interface Options {
  /** Messages of a measurement, shared by its senders. */
  readonly messages: number;
  readonly rounds: number;
  readonly progress?: (line: string) => void;
}

interface Sample {
  readonly perSecond: number;
  readonly perWrite: number;
  readonly p50: number;
  readonly p99: number;
  readonly cpu: number;
}

export async function sends({ messages, rounds, progress = () => {} }: Options): Promise<Result> {
  await using disposables = new Disposables();
  const server = disposables.add(await startEmptyEverwire());
  const [p50s, p99s]: [number[], number[]] = [[], []];
  const samples = new Map<string, Sample[]>();
  for (let round = 0; round < rounds; round++) {
    for (const inFlight of IN_FLIGHT) {
      for (const senders of SENDERS) {
        const before = await fsyncTimes(server.directory, WRITES);
        const run = await measure(server, senders, inFlight, messages);
        const disk = [...before, ...(await fsyncTimes(server.directory, WRITES))];
        const write = quantile(disk, 0.5);
        p50s.push(write);
        p99s.push(quantile(disk, 0.99));
        const sample = { ...run, perWrite: (run.perSecond * write) / 1000 };
        const key = `${senders}/${inFlight}`;
        samples.set(key, [...(samples.get(key) ?? []), sample]);
        progress(
          `${round + 1}/${rounds} ${senders} senders, ${inFlight} in flight: ${rounded(sample.perSecond, 0)} a second, ${rounded(sample.perWrite, 2)} a disk write`,
        );
      }
    }
  }
  const rows = [...samples].map(([key, taken]) => row(key, taken));
  return {
    benchmark: "sends",
    messages,
    rounds,
    disk_write_p50_ms: spread(p50s, 2),
    disk_write_p99_ms: spread(p99s, 2),
    rows,
  };
}

async function measure(server: EmptyEverwire, senders: number, inFlight: number, messages: number) {
  let failed = (_: Error) => {};
  const failure = new Promise<never>((_, reject) => {
    failed = reject;
  });
  failure.catch(() => {});
  const fail = (why: string) => failed(new Error(why));
  const all: Sender[] = [];
  try {
    for (let index = 0; index < senders; index++) {
      const share = Math.floor((messages * (index + 1)) / senders) - Math.floor((messages * index) / senders);
      all.push(await Sender.open(server.url, `sender-${index}`, inFlight, share, fail));
    }
    // The first ones find everything cold.
    await Promise.race([failure, Promise.all(all.map((sender) => sender.send(Math.min(inFlight, 5))))]);
    const cpu = cpuTime(server.pid);
    const began = performance.now();
    const timer = setTimeout(() => fail("acks do not arrive"), PATIENCE_MS + messages * 20);
    await Promise.race([failure, Promise.all(all.map((sender) => sender.send()))]).finally(() =>
      clearTimeout(timer),
    );
    const seconds = (performance.now() - began) / 1000;
    const { user, system } = cpuTime(server.pid);
    const times = all.flatMap((sender) => sender.times);
    return {
      perSecond: messages / seconds,
      p50: quantile(times, 0.5),
      p99: quantile(times, 0.99),
      cpu: ((user + system - cpu.user - cpu.system) * 1e6) / messages,
    };
  } finally {
    for (const sender of all) sender.close();
  }
}

/** Sends messages to a channel of its own, some at a time. */
class Sender {
  readonly #channel: string;
  readonly #inFlight: number;
  readonly #count: number;
  readonly #acks = new MarkCounter(ACK);
  #socket: RawWebSocket | undefined;
  #sentAt: number[] = [];
  #onAck = () => {};
  /** From each `send` to its `ack`, in ms. Acks come in the order of the sends. */
  times: number[] = [];

  private constructor(channel: string, inFlight: number, count: number) {
    this.#channel = channel;
    this.#inFlight = inFlight;
    this.#count = count;
  }

  static async open(url: string, user: string, inFlight: number, count: number, fail: (why: string) => void) {
    const sender = new Sender(`sends.${user}`, inFlight, count);
    const onBytes = (bytes: Buffer) => {
      if (bytes.includes('"type":"error"')) fail(`the server refuses: ${bytes}`);
      sender.#acks.add(bytes);
      sender.#onAck();
    };
    const onClose = () => fail("the server has closed a connection");
    sender.#socket = await openRaw(new URL(WEBSOCKET_PATH, url), SUBPROTOCOL, onBytes, onClose);
    const guest = { user, name: user };
    sender.#socket.send(JSON.stringify([{ type: "hello", version: 1, session: randomUUID(), guest }]));
    return sender;
  }

  /** Sends so many, and resolves when each has its ack. */
  async send(count = this.#count): Promise<void> {
    this.#sentAt = [];
    this.times = [];
    const before = this.#acks.count;
    await new Promise<void>((resolve) => {
      const more = () => {
        while (this.times.length < this.#acks.count - before) {
          this.times.push(performance.now() - (this.#sentAt[this.times.length] ?? Number.NaN));
        }
        const wanted = Math.min(count, this.times.length + this.#inFlight);
        const frames = [];
        while (this.#sentAt.length < wanted) {
          this.#sentAt.push(performance.now());
          frames.push({ type: "send", id: randomUUID(), channel: this.#channel, data: { text: TEXT } });
        }
        if (frames.length > 0) this.#socket?.send(JSON.stringify(frames));
        if (this.times.length === count) resolve();
      };
      this.#onAck = more;
      more();
    });
    this.#onAck = () => {};
  }

  close(): void {
    this.#socket?.close();
  }
}

function row(key: string, samples: readonly Sample[]): Row {
  const [senders, in_flight] = key.split("/").map(Number) as [number, number];
  const of = (value: (sample: Sample) => number, digits = 0) => spread(samples.map(value), digits);
  return {
    senders,
    in_flight,
    per_second: of(({ perSecond }) => perSecond),
    per_disk_write: of(({ perWrite }) => perWrite, 2),
    ack_p50_ms: of(({ p50 }) => p50, 2),
    ack_p99_ms: of(({ p99 }) => p99, 2),
    us_per_send: of(({ cpu }) => cpu, 1),
  };
}
