// `bench idle`: the memory of a server for each client that is connected, subscribed to one channel, and idle: resident memory of
// its process with all of them, without what it had before, divided by their number. Each measurement has a process of its own.

import { residentBytes } from "../run/process-usage.js";
import { rounded, type Spread, spread } from "../run/statistics.js";
import { contenders, NAMES, type Name, type Started } from "./contenders.js";

/** How many connect at the same time. */
const AT_ONCE = 50;

/** Clients that have come and gone before the measurement begins: what a server allocates once does not count. */
const WARM_UP = 100;

/** How long the memory is watched until it no longer changes, in ms; and how often. */
const SETTLES_MS = 8_000;
const LOOK_MS = 500;

export interface Row {
  readonly name: Name;
  readonly connections: number;
  readonly kib_per_connection: Spread;
}

export interface Result {
  readonly benchmark: "idle";
  readonly connections: number;
  readonly rounds: number;
  readonly rows: readonly Row[];
}

export interface Options {
  readonly connections: number;
  readonly rounds: number;
  readonly progress?: (line: string) => void;
}

export async function idle(options: Options): Promise<Result> {
  const { connections, rounds, progress = () => {} } = options;
  const samples = new Map<Name, number[]>();
  for (let round = 0; round < rounds; round++) {
    for (const name of NAMES) {
      const kib = await measure(name, connections);
      samples.set(name, [...(samples.get(name) ?? []), kib]);
      progress(`${round + 1}/${rounds} ${name}: ${rounded(kib, 1)} KiB a connection`);
    }
  }
  const rows = [...samples].map(([name, kib]) => ({ name, connections, kib_per_connection: spread(kib, 1) }));
  return { benchmark: "idle", connections, rounds, rows };
}

async function measure(name: Name, connections: number): Promise<number> {
  const server = await contenders[name]();
  try {
    const warm = await crowd(server, name, 0, WARM_UP);
    for (const client of warm.clients) client.close();
    const before = await settled(server.pid);
    const { clients, checkOpen } = await crowd(server, name, WARM_UP, connections);
    const bytes = (await settled(server.pid)) - before;
    checkOpen();
    for (const client of clients) client.close();
    return bytes / 1024 / connections;
  } finally {
    await server.stop();
  }
}

/** Connects so many clients. */
async function crowd(server: Started, name: Name, first: number, count: number) {
  const clients: { close(): void }[] = [];
  let ended = 0;
  let next = first;
  const connecting = Array.from({ length: Math.min(AT_ONCE, count) }, async () => {
    while (next < first + count) clients.push(await server.connect(next++, () => ended++));
  });
  await Promise.all(connecting);
  const checkOpen = () => {
    if (ended > 0) throw new Error(`${name} has ended ${ended} idle connections`);
  };
  return { clients, checkOpen };
}

/** The least resident memory while it settles: what the allocator or the garbage collector still gives back does not count. */
async function settled(pid: number): Promise<number> {
  let least = Number.POSITIVE_INFINITY;
  for (let waited = 0; waited < SETTLES_MS; waited += LOOK_MS) {
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    least = Math.min(least, residentBytes(pid));
  }
  return least;
}
