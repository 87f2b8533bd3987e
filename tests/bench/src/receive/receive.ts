// `bench receive`: how many messages per second reach the listener in a page of Chromium, for Everwire, its peers, and
// a bare WebSocket. All in one page and one run, alternating, so that the ratios are meaningful on a busy machine too.

import type { Target } from "../pages/clients/client.js";
import type { ClientName, Received } from "../pages/receive.js";
import { bundle, type Files } from "../run/bundle.js";
import { type Page, startChromium } from "../run/chromium.js";
import { Disposables } from "../run/disposables.js";
import { CHANNEL, startEverwire } from "../run/everwire.js";
import { startPublishers, startServer } from "../run/processes.js";
import { html, startSite } from "../run/site.js";
import { rotated, rounded, type Spread, spread } from "../run/statistics.js";
import type { ServerName } from "../servers/main.js";

/** One row of the result: a client with a server. */
export interface Row {
  readonly name: string;
  /** The contents of one WebSocket message. */
  readonly framing: "one" | "several";
  /** Messages per second at the listener. */
  readonly frames_per_second: Spread;
  /** Messages per WebSocket message, as the page saw it. */
  readonly batch: number;
  /** Processor time of the page's main thread per message, in microseconds, including connecting and parsing. */
  readonly microseconds: Spread;
  readonly runs: readonly number[];
}

/** All measurements. */
export interface Result {
  readonly benchmark: "receive";
  readonly browser: string;
  readonly messages: number;
  readonly rounds: number;
  readonly bytes_per_message: number;
  readonly rows: readonly Row[];
  readonly ratios: Readonly<Record<RatioName, number>>;
  /** The peer of the ratio. */
  readonly best_peer: string;
}

type RatioName =
  | "everwire_to_bare"
  | "everwire_to_bare_on_recorded_batches"
  | "everwire_to_bare_on_a_replay"
  | "everwire_to_best_peer"
  | "everwire_to_centrifuge_batched";

export interface Options {
  readonly messages: number;
  readonly rounds: number;
  /** Called with the progress. */
  readonly progress?: (line: string) => void;
}

interface Run extends Received {
  readonly busyMs: number;
}

interface Contender {
  readonly name: string;
  readonly client: ClientName;
  readonly framing: Row["framing"];
  target(round: number): Target;
  trigger?(round: number): string;
}

/** The names in ratios. */
const EVERWIRE = "everwire, replay";
const ON_RECORDED = "everwire, recorded batches";
const BARE = "bare, recorded batches";
const BARE_REPLAY = "bare, replay by everwire's server";
const PEERS = ["pusher-js", "socket.io-client", "phoenix", "centrifuge"];
const CENTRIFUGE_BATCHED = "centrifuge, recorded batches";

export async function receive(options: Options): Promise<Result> {
  const { messages, rounds, progress = () => {} } = options;
  await using disposables = new Disposables();
  progress("building the page");
  const files = new Map(await bundle(["receive"])).set("/index.html", html("/receive.js")) satisfies Files;
  progress(`storing ${messages} messages`);
  const everwire = disposables.add(await startEverwire(messages));
  // A separate server for messages that are stored meanwhile: they would push those of the other one out of its memory.
  const busy = disposables.add(await startEverwire(1));
  const publishers = disposables.add(await startPublishers(busy.url));
  progress("starting the servers and the browser");
  const server = async (name: ServerName) =>
    `http://127.0.0.1:${disposables.add(await startServer(name, everwire.file)).port}`;
  const bare = await server("bare");
  const centrifuge = await server("centrifuge");
  const same =
    (url: string, channel = "all") =>
    () => ({ url, channel });
  const from = { epoch: everwire.epoch, offset: 0 };
  const standIn = { url: await server("stand-in"), channel: CHANNEL, from: { epoch: "recorded", offset: 0 } };
  const live = (round: number) => `live.${round}`;
  const contenders: Contender[] = [
    { name: "bare, one by one", client: "bare", framing: "one", target: same(`${bare}/1`) },
    { name: "bare, 64 in a batch", client: "batched", framing: "several", target: same(`${bare}/64`) },
    { name: "bare, 256 in a batch", client: "batched", framing: "several", target: same(`${bare}/256`) },
    { name: BARE, client: "batched", framing: "several", target: same(`${bare}/recorded`) },
    {
      name: BARE_REPLAY,
      client: "atEverwire",
      framing: "several",
      target: () => ({ url: everwire.url, channel: CHANNEL, from }),
    },
    { name: ON_RECORDED, client: "everwire", framing: "several", target: () => standIn },
    {
      name: EVERWIRE,
      client: "everwire",
      framing: "several",
      target: () => ({ url: everwire.url, channel: CHANNEL, from }),
    },
    {
      name: "everwire, live",
      client: "everwire",
      framing: "several",
      target: (round) => ({ url: busy.url, channel: live(round) }),
      trigger: (round) => `http://127.0.0.1:${publishers.port}/?channel=${live(round)}&count=${messages}`,
    },
    { name: "pusher-js", client: "pusher", framing: "one", target: same(await server("pusher")) },
    { name: "socket.io-client", client: "socketIo", framing: "one", target: same(await server("socket.io")) },
    { name: "phoenix", client: "phoenix", framing: "one", target: same(await server("phoenix")) },
    { name: "centrifuge", client: "centrifuge", framing: "one", target: same(`${centrifuge}/1`) },
    {
      name: "centrifuge, 64 in a batch",
      client: "centrifuge",
      framing: "several",
      target: same(`${centrifuge}/64`),
    },
    {
      name: CENTRIFUGE_BATCHED,
      client: "centrifuge",
      framing: "several",
      target: same(`${centrifuge}/recorded`),
    },
  ];
  const site = disposables.add(await startSite(files));
  const chromium = disposables.add(await startChromium());
  const page = await (await chromium.context()).open(`http://127.0.0.1:${site.port}/index.html`);
  // Processor time, which does not include what else the machine does.
  await page.call("Performance.enable", { timeDomain: "threadTicks" });
  const runs = new Map(contenders.map(({ name }) => [name, [] as Run[]]));
  for (let round = 0; round < rounds; round++) {
    for (const contender of rotated(contenders, round * 5)) {
      const received = await measure(page, contender, round, messages);
      runs.get(contender.name)?.push(received);
      const us = ((received.busyMs / messages) * 1000).toFixed(2);
      progress(
        `${round + 1}/${rounds} ${contender.name}: ${Math.round(rate(received, messages))} a second, ${us} µs`,
      );
    }
  }
  const rows = contenders.map(({ name, framing }) => row(name, framing, runs.get(name) ?? [], messages));
  const bytes = everwire.recording.flat().reduce((sum, text) => sum + Buffer.byteLength(text), 0);
  return {
    benchmark: "receive",
    browser: chromium.version,
    messages,
    rounds,
    bytes_per_message: Math.round(bytes / messages),
    rows,
    ...ratios(rows),
  };
}

/** Processor time of the page's main thread so far, in ms. */
async function busyMs(page: Page): Promise<number> {
  const { metrics } = await page.call<{ metrics: { name: string; value: number }[] }>(
    "Performance.getMetrics",
  );
  return (metrics.find(({ name }) => name === "TaskDuration")?.value ?? Number.NaN) * 1000;
}

async function measure(page: Page, contender: Contender, round: number, messages: number): Promise<Run> {
  const { client, target, trigger } = contender;
  const args = [client, target(round), messages, trigger?.(round)].map(
    (arg) => JSON.stringify(arg) ?? "undefined",
  );
  // The page's module may not have run yet at the first attempt.
  await page.evaluate(
    "document.readyState === 'complete' || new Promise((done) => addEventListener('load', done))",
  );
  await page.evaluate("gc()");
  const before = await busyMs(page);
  const received = await page.evaluate<Received>(`measure(${args.join(", ")})`);
  const busy = (await busyMs(page)) - before;
  if (received.outOfOrder > 0) {
    throw new Error(`${contender.name} delivered ${received.outOfOrder} messages out of order`);
  }
  return { ...received, busyMs: busy };
}

/** Intervals between messages: one less than messages. */
const rate = ({ milliseconds }: Received, messages: number) => ((messages - 1) / milliseconds) * 1000;

function row(name: string, framing: Row["framing"], received: readonly Run[], messages: number): Row {
  const runs = received.map((one) => Math.round(rate(one, messages)));
  const batches = received.map(({ webSocketMessages }) => messages / webSocketMessages);
  const microseconds = received.map(({ busyMs }) => (busyMs / messages) * 1000);
  return {
    name,
    framing,
    frames_per_second: spread(runs),
    batch: spread(batches, 1).median,
    microseconds: spread(microseconds, 2),
    runs,
  };
}

function ratios(rows: readonly Row[]): Pick<Result, "ratios" | "best_peer"> {
  const of = (name: string) => rows.find((row) => row.name === name)?.frames_per_second.median ?? Number.NaN;
  const [best_peer = ""] = PEERS.toSorted((a, b) => of(b) - of(a));
  const ratio = (a: string, b: string) => rounded(of(a) / of(b), 2);
  return {
    ratios: {
      everwire_to_bare: ratio(EVERWIRE, BARE),
      everwire_to_bare_on_recorded_batches: ratio(ON_RECORDED, BARE),
      everwire_to_bare_on_a_replay: ratio(EVERWIRE, BARE_REPLAY),
      everwire_to_best_peer: ratio(EVERWIRE, best_peer),
      everwire_to_centrifuge_batched: ratio(EVERWIRE, CENTRIFUGE_BATCHED),
    },
    best_peer,
  };
}
