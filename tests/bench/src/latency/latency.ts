// `bench latency`: how long a message takes from `send` in one page of Chromium to the screen of another, for Everwire
// and socket.io, alternating in one run: with no other users, and with a crowd that chats on the same server.

import type { Arrival, LatencyClient } from "../pages/latency.js";
import { bundle } from "../run/bundle.js";
import { type Page, startChromium } from "../run/chromium.js";
import { Disposables } from "../run/disposables.js";
import { startEverwire } from "../run/everwire.js";
import { fsyncTimes } from "../run/fsync.js";
import { startCrowd, startServer } from "../run/processes.js";
import { html, startSite } from "../run/site.js";
import { quantile, rotated, rounded } from "../run/statistics.js";

/** Between two messages, in ms: like people who chat, and below the server's default rate limit. */
const LEAST_MS = 100;
const MOST_MS = 200;

/** How often the disk is asked for one write, before each measurement. */
const DISK_WRITES = 100;

/** Median and 99th percentile, in ms. */
export interface Quantiles {
  readonly p50: number;
  readonly p99: number;
}

/** One row of the result. */
export interface Row {
  readonly name: "everwire" | "socket.io";
  readonly crowd: number;
  readonly messages: number;
  /** From `send` to the listener. */
  readonly listener_ms: Quantiles;
  /** From `send` to the end of the frame that shows it. */
  readonly screen_ms: Quantiles;
}

export interface Result {
  readonly benchmark: "latency";
  readonly browser: string;
  readonly messages: number;
  readonly rounds: number;
  readonly rows: readonly Row[];
  /** One write to the disk that stores Everwire's messages, in ms. */
  readonly disk_write_ms: Quantiles;
  /** Everwire's time divided by socket.io's, to the screen. */
  readonly ratios: Readonly<Record<`${"quiet" | "busy"}_${"p50" | "p99"}`, number>>;
}

export interface Options {
  readonly messages: number;
  readonly rounds: number;
  readonly crowd: number;
  readonly progress?: (line: string) => void;
}

interface Contender {
  readonly name: Row["name"];
  readonly client: LatencyClient;
  readonly url: string;
  readonly talker: Page;
  readonly reader: Page;
}

export async function latency(options: Options): Promise<Result> {
  const { messages, rounds, crowd, progress = () => {} } = options;
  await using disposables = new Disposables();
  progress("building the page and starting servers and browser");
  const files = new Map(await bundle(["latency"])).set("/index.html", html("/latency.js"));
  const site = disposables.add(await startSite(files));
  const everwire = disposables.add(await startEverwire(1));
  const socketIo = disposables.add(await startServer("socket.io-chat", everwire.file));
  const chromium = disposables.add(await startChromium());
  // Separate contexts are separate windows: pages in the background are painted late or never.
  const open = async () => (await chromium.context()).open(`http://127.0.0.1:${site.port}/index.html`);
  const meet = async (name: Row["name"], client: LatencyClient, url: string): Promise<Contender> => {
    const contender = { name, client, url, talker: await open(), reader: await open() };
    for (const [page, user] of [
      [contender.talker, "talker"],
      [contender.reader, "reader"],
    ] as const) {
      const state = await page.evaluate<string>(
        `page.join(${[client, url, user].map((a) => JSON.stringify(a))})`,
      );
      if (state !== "visible")
        throw new Error(`the page of ${name}'s ${user} is ${state}: it would not be painted`);
    }
    return contender;
  };
  const contenders = [
    await meet("everwire", "everwire", everwire.url),
    await meet("socket.io", "socketIo", `http://127.0.0.1:${socketIo.port}`),
  ];
  const arrivals = new Map<string, Arrival[]>();
  const disk: number[] = [];
  for (let round = 0; round < rounds; round++) {
    for (const others of [0, crowd]) {
      disk.push(...(await fsyncTimes(everwire.directory, DISK_WRITES)));
      for (const contender of rotated(contenders, round)) {
        const running = others > 0 ? await startCrowd(contender.name, contender.url, others) : undefined;
        try {
          const key = `${contender.name} ${others}`;
          const heard = await measure(contender, messages);
          arrivals.set(key, [...(arrivals.get(key) ?? []), ...heard]);
          const { p50, p99 } = quantiles(heard.map(({ screen }) => screen));
          progress(
            `${round + 1}/${rounds} ${contender.name} with ${others} others: p50 ${p50} ms, p99 ${p99} ms`,
          );
        } finally {
          await running?.stop();
        }
      }
    }
  }
  const rows = [...arrivals].map(([key, heard]) => row(key, heard));
  return {
    benchmark: "latency",
    browser: chromium.version,
    messages,
    rounds,
    rows,
    disk_write_ms: quantiles(disk),
    ratios: ratios(rows),
  };
}

async function measure({ name, talker, reader }: Contender, count: number): Promise<Arrival[]> {
  await talker.evaluate(`page.talk(${count}, ${LEAST_MS}, ${MOST_MS})`);
  const heard = await reader.evaluate<Arrival[]>(`page.heard(${count})`);
  // The sender ignores its own copies.
  await talker.evaluate(`page.heard(${count})`);
  const numbers = new Set(heard.map(({ number }) => number));
  if (heard.length !== count || numbers.size !== count)
    throw new Error(`${name} lost or duplicated messages`);
  return heard;
}

export function quantiles(values: readonly number[]): Quantiles {
  return { p50: rounded(quantile(values, 0.5), 1), p99: rounded(quantile(values, 0.99), 1) };
}

function row(key: string, heard: readonly Arrival[]): Row {
  const [name, crowd] = key.split(" ");
  return {
    name: name as Row["name"],
    crowd: Number(crowd),
    messages: heard.length,
    listener_ms: quantiles(heard.map(({ listener }) => listener)),
    screen_ms: quantiles(heard.map(({ screen }) => screen)),
  };
}

function ratios(rows: readonly Row[]): Result["ratios"] {
  const of = (name: string, busy: boolean, quantile: keyof Quantiles) =>
    rows.find((row) => row.name === name && row.crowd > 0 === busy)?.screen_ms[quantile] ?? Number.NaN;
  const ratio = (busy: boolean, quantile: keyof Quantiles) =>
    rounded(of("everwire", busy, quantile) / of("socket.io", busy, quantile), 2);
  return {
    quiet_p50: ratio(false, "p50"),
    quiet_p99: ratio(false, "p99"),
    busy_p50: ratio(true, "p50"),
    busy_p99: ratio(true, "p99"),
  };
}
