// `bench storm`: thousands of clients come back after their server was killed and started again: how long until all of them are in
// their rooms, and what it costs the server, for Everwire and socket.io. Real clients, each with the times between attempts that
// its library chooses.

import { type ChildProcess, fork } from "node:child_process";
import { setTimeout } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { Disposables } from "../run/disposables.js";
import { startEmptyEverwire } from "../run/everwire.js";
import { cpuTime, peakResidentBytes } from "../run/process-usage.js";
import { startSocketIoChat } from "../run/processes.js";
import { quantile, rotated, rounded, type Spread, spread } from "../run/statistics.js";
import type { Back, Told } from "./herd.js";

/** Processes that share the clients. */
const HERDS = 4;

/** How long all have been connected before, in ms: Everwire mistrusts a WebSocket that dies within 10 s, and polls then. */
const QUIET_MS = 11_000;

/** How long the server is away, in ms. */
const AWAY_MS = 1_000;

/** When the run is given up, in ms. */
const PATIENCE_MS = 120_000;

export const NAMES = ["everwire", "socket.io"] as const;
export type Name = (typeof NAMES)[number];

export interface Row {
  readonly name: Name;
  /** From the time when the server listens again until half of the clients, 99 in 100, and all are in their rooms again, in ms. */
  readonly half_ms: Spread;
  readonly p99_ms: Spread;
  readonly all_ms: Spread;
  /** Of the new server process. */
  readonly peak_rss_mib: Spread;
  readonly cpu_seconds: Spread;
  /** What the clients reported as errors, over all rounds. */
  readonly errors: number;
}

export interface Result {
  readonly benchmark: "storm";
  readonly clients: number;
  readonly rounds: number;
  readonly rows: readonly Row[];
}

export interface Options {
  readonly clients: number;
  readonly rounds: number;
  readonly progress?: (line: string) => void;
}

/** A server that can be killed and started again. */
interface Server {
  readonly url: string;
  readonly pid: number;
  kill(): Promise<void>;
  restart(): Promise<Server>;
  stop(): Promise<void>;
}

const servers: Readonly<Record<Name, () => Promise<Server>>> = {
  everwire: startEmptyEverwire,
  "socket.io": () => startSocketIo(0),
};

async function startSocketIo(wanted: number): Promise<Server> {
  const { port, ...running } = await startSocketIoChat(wanted);
  return { ...running, url: `http://127.0.0.1:${port}`, restart: () => startSocketIo(port) };
}

interface Sample {
  readonly half: number;
  readonly p99: number;
  readonly all: number;
  readonly peak: number;
  readonly cpu: number;
  readonly errors: readonly string[];
}

export async function storm({ clients, rounds, progress = () => {} }: Options): Promise<Result> {
  const samples = new Map<Name, Sample[]>();
  for (let round = 0; round < rounds; round++) {
    for (const name of rotated(NAMES, round)) {
      const sample = await measure(name, clients);
      samples.set(name, [...(samples.get(name) ?? []), sample]);
      progress(
        `${round + 1}/${rounds} ${name}: all back after ${sample.all} ms, ${rounded(sample.peak, 0)} MiB, ${sample.errors.length} errors`,
      );
    }
  }
  return { benchmark: "storm", clients, rounds, rows: [...samples].map(([name, taken]) => row(name, taken)) };
}

async function measure(name: Name, clients: number): Promise<Sample> {
  await using disposables = new Disposables();
  const first = disposables.add(await servers[name]());
  const herds: Herd[] = [];
  for (let index = 0; index < HERDS; index++) {
    const from = Math.floor((clients * index) / HERDS);
    const count = Math.floor((clients * (index + 1)) / HERDS) - from;
    if (count > 0) herds.push(disposables.add(new Herd(name, first.url, from, count)));
  }
  for (const herd of herds) await herd.joined;
  await setTimeout(QUIET_MS);
  await first.kill();
  await setTimeout(AWAY_MS);
  const second = disposables.add(await first.restart());
  const listening = Date.now();
  const before = cpuTime(second.pid);
  const backs = await Promise.all(herds.map(({ back }) => back));
  const after = cpuTime(second.pid);
  // A socket may be accepted before the line that says so is read.
  const times = backs.flatMap(({ at }) => at).map((at) => Math.max(0, at - listening));
  return {
    half: quantile(times, 0.5),
    p99: quantile(times, 0.99),
    all: quantile(times, 1),
    peak: peakResidentBytes(second.pid) / 1024 / 1024,
    cpu: after.user + after.system - before.user - before.system,
    errors: backs.flatMap(({ errors }) => errors),
  };
}

/** A process of clients. */
class Herd {
  readonly joined: Promise<void>;
  readonly back: Promise<Back>;
  readonly #child: ChildProcess;

  constructor(name: Name, url: string, from: number, count: number) {
    const path = fileURLToPath(new URL("herd.ts", import.meta.url));
    const child = fork(path, [name, url, String(from), String(count)], { execArgv: ["--import", "tsx"] });
    this.#child = child;
    const told = (wanted: (told: Told) => boolean) =>
      new Promise<Told>((resolve, reject) => {
        const timer = globalThis.setTimeout(
          () => reject(new Error(`clients of ${name} do not arrive`)),
          PATIENCE_MS,
        );
        child.on("message", (message: Told) => {
          if (!wanted(message)) return;
          clearTimeout(timer);
          resolve(message);
        });
        child.on("exit", () => {
          clearTimeout(timer);
          reject(new Error(`a process of clients of ${name} has ended`));
        });
      });
    this.joined = told((message) => message === "joined").then(() => {});
    this.back = this.joined.then(() => told((message) => message !== "joined")) as Promise<Back>;
    // Whoever waits for them is told; nobody may.
    this.joined.catch(() => {});
    this.back.catch(() => {});
  }

  async stop(): Promise<void> {
    this.#child.kill("SIGKILL");
  }
}

function row(name: Name, samples: readonly Sample[]): Row {
  const of = (value: (sample: Sample) => number, digits = 0) => spread(samples.map(value), digits);
  return {
    name,
    half_ms: of(({ half }) => half),
    p99_ms: of(({ p99 }) => p99),
    all_ms: of(({ all }) => all),
    peak_rss_mib: of(({ peak }) => peak, 1),
    cpu_seconds: of(({ cpu }) => cpu, 2),
    errors: samples.reduce((sum, { errors }) => sum + errors.length, 0),
  };
}
