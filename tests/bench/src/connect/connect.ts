// `bench connect`: from the import of a client library until it is connected and until the first message, with an empty
// and with a filled cache, close to the server and with 40 ms of round-trip time; and its cost in bytes.

import type { Target } from "../pages/clients/client.js";
import type { Connected } from "../pages/connect.js";
import { bundle, type Files, wasm } from "../run/bundle.js";
import { type Context, startChromium } from "../run/chromium.js";
import { Disposables } from "../run/disposables.js";
import { CHANNEL, startEverwire } from "../run/everwire.js";
import { type LatencyProxy, startLatencyProxy, type Traffic } from "../run/latency-proxy.js";
import { startServer } from "../run/processes.js";
import { html, startSite } from "../run/site.js";
import { rotated, rounded, type Spread, spread } from "../run/statistics.js";
import type { ServerName } from "../servers/main.js";

/** One row of the result. */
export interface Row {
  readonly name: string;
  readonly round_trip_ms: number;
  /** `cold`: an empty cache. `warm`: the same page was loaded once before. */
  readonly load: Load;
  /** From the start of the import until the module was loaded, in ms. */
  readonly imported_ms: Spread;
  /** … until the client reported that it was connected. */
  readonly connected_ms: Spread;
  /** … until the first message reached the listener. */
  readonly first_message_ms: Spread;
  /** Bytes from the page's server: HTML, JavaScript and WebAssembly with HTTP headers, compressed. */
  readonly page_bytes: number;
  /** Bytes from and to the client's server until then, HTTP headers included. */
  readonly wire_bytes: number;
  /** TCP connections to the client's server. */
  readonly connections: number;
}

type Load = "cold" | "warm";

/** All measurements. */
export interface Result {
  readonly benchmark: "connect";
  readonly browser: string;
  readonly rounds: number;
  readonly rows: readonly Row[];
  /** What latency adds to the time until the first message, in round trips; from the fastest runs of each. */
  readonly round_trips: readonly { readonly name: string; readonly load: Load; readonly count: number }[];
}

export interface Options {
  readonly rounds: number;
  /** The longer round-trip time, in ms. */
  readonly "round-trip": number;
  readonly progress?: (line: string) => void;
}

interface Subject {
  readonly name: string;
  /** The module of ../pages/connect. */
  readonly page: string;
  readonly server: ServerName | "everwire";
  target(url: string): Target;
}

const first = (url: string): Target => ({ url, channel: "first" });
const recent = (url: string): Target => ({ url, channel: CHANNEL, from: { recent: 1 } });

const SUBJECTS: readonly Subject[] = [
  { name: "bare WebSocket", page: "bare", server: "bare", target: (url) => first(`${url}/recorded`) },
  { name: "everwire", page: "everwire", server: "everwire", target: recent },
  { name: "everwire/eager", page: "eager", server: "everwire", target: recent },
  { name: "everwire/slim", page: "slim", server: "everwire", target: recent },
  { name: "pusher-js", page: "pusher", server: "pusher", target: first },
  { name: "phoenix", page: "phoenix", server: "phoenix", target: first },
  { name: "centrifuge", page: "centrifuge", server: "centrifuge", target: (url) => first(`${url}/1`) },
  { name: "socket.io-client", page: "socketio", server: "socket.io", target: first },
  {
    name: "socket.io-client, WebSocket only",
    page: "socketio-websocket",
    server: "socket.io",
    target: first,
  },
];

/** The timeout of a page. */
const TIMEOUT_MS = 30_000;

/** Everything that a visit goes through, for one round-trip time. */
interface Path {
  readonly roundTripMs: number;
  readonly site: LatencyProxy;
  readonly servers: ReadonlyMap<Subject["server"], LatencyProxy>;
}

/** The measurements of one visit. */
interface Visit extends Connected {
  readonly page: Traffic;
  readonly wire: Traffic;
}

export async function connect(options: Options): Promise<Result> {
  const { rounds, progress = () => {} } = options;
  await using disposables = new Disposables();
  progress("building the pages");
  const site = disposables.add(await startSite(await pages()));
  progress("starting the servers and the browser");
  const everwire = disposables.add(await startEverwire(2));
  const ports = new Map<Subject["server"], number>([["everwire", Number(new URL(everwire.url).port)]]);
  for (const { server } of SUBJECTS) {
    if (server !== "everwire" && !ports.has(server)) {
      ports.set(server, disposables.add(await startServer(server, everwire.file)).port);
    }
  }
  const paths: Path[] = [];
  for (const roundTripMs of [0, options["round-trip"]]) {
    const servers = new Map<Subject["server"], LatencyProxy>();
    for (const [server, port] of ports)
      servers.set(server, disposables.add(await startLatencyProxy(port, roundTripMs)));
    paths.push({
      roundTripMs,
      site: disposables.add(await startLatencyProxy(site.port, roundTripMs)),
      servers,
    });
  }
  const chromium = disposables.add(await startChromium());
  const visits = new Map<string, Visit[]>();
  const record = (key: string, visit: Visit) => visits.set(key, [...(visits.get(key) ?? []), visit]);
  for (let round = 0; round < rounds; round++) {
    for (const path of paths) {
      for (const subject of rotated(SUBJECTS, round)) {
        const context = await chromium.context();
        const cold = await visit(context, path, subject);
        const warm = await visit(context, path, subject);
        await context.close();
        record(key(subject, path, "cold"), cold);
        record(key(subject, path, "warm"), warm);
        const ms = (one: Visit) => Math.round(one.first);
        progress(
          `${round + 1}/${rounds} +${path.roundTripMs} ms ${subject.name}: ${ms(cold)}, then ${ms(warm)} ms`,
        );
      }
    }
  }
  const rows = paths.flatMap((path) =>
    SUBJECTS.flatMap((subject) =>
      LOADS.map((load) => row(subject, path, load, visits.get(key(subject, path, load)) ?? [])),
    ),
  );
  const trips = { benchmark: "connect", browser: chromium.version, rounds, rows } as const;
  return { ...trips, round_trips: roundTrips(rows, options["round-trip"]) };
}

const LOADS: readonly Load[] = ["cold", "warm"];

const key = (subject: Subject, path: Path, load: Load) => `${subject.name} ${path.roundTripMs} ${load}`;

/** A directory for each subject: no two share a file. */
async function pages(): Promise<Files> {
  const files = new Map([["/everwire.wasm", await wasm()]]);
  for (const { page } of SUBJECTS) {
    for (const [path, content] of await bundle([`connect/${page}`])) files.set(`/${page}${path}`, content);
    files.set(`/${page}/index.html`, html(`/${page}/${page}.js`));
  }
  return files;
}

/** Loads a subject's page once. */
async function visit(context: Context, path: Path, subject: Subject): Promise<Visit> {
  const server = path.servers.get(subject.server);
  if (server === undefined) throw new Error(`there is no server ${subject.server}`);
  path.site.takeTraffic();
  server.takeTraffic();
  const orders = encodeURIComponent(JSON.stringify(subject.target(`http://127.0.0.1:${server.port}`)));
  const page = await context.open(`http://127.0.0.1:${path.site.port}/${subject.page}/index.html#${orders}`);
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    const error = new Error(`${subject.name} had no message after ${TIMEOUT_MS} ms`);
    timer = setTimeout(() => reject(error), TIMEOUT_MS);
  });
  try {
    const connected = await Promise.race([page.evaluate<Connected>("outcome"), late]);
    return { ...connected, page: path.site.takeTraffic(), wire: server.takeTraffic() };
  } finally {
    clearTimeout(timer);
    await page.close();
  }
}

function row(subject: Subject, path: Path, load: Load, visits: readonly Visit[]): Row {
  const of = (what: (visit: Visit) => number, digits = 0) => spread(visits.map(what), digits);
  return {
    name: subject.name,
    round_trip_ms: path.roundTripMs,
    load,
    imported_ms: of((visit) => visit.imported, 1),
    connected_ms: of((visit) => visit.connected, 1),
    first_message_ms: of((visit) => visit.first, 1),
    page_bytes: of((visit) => visit.page.down).median,
    wire_bytes: of((visit) => visit.wire.down + visit.wire.up).median,
    connections: of((visit) => visit.wire.connections).median,
  };
}

function roundTrips(rows: readonly Row[], roundTripMs: number): Result["round_trips"] {
  return rows
    .filter((row) => row.round_trip_ms === roundTripMs)
    .map(({ name, load, first_message_ms }) => {
      const near = rows.find((row) => row.name === name && row.load === load && row.round_trip_ms === 0);
      const added = first_message_ms.lowest - (near?.first_message_ms.lowest ?? Number.NaN);
      return { name, load, count: rounded(added / roundTripMs, 1) };
    });
}
