// `bench faults`: Everwire and other clients under the same faults, each in a page of its own behind a fault-injecting
// proxy of its own. The faults are in `silence.ts`, `blocked.ts` and `cut.ts`; this file combines them.

import type { ClientName, Parameters } from "../pages/faults.js";
import { bundle } from "../run/bundle.js";
import { type Chromium, type Page, startChromium } from "../run/chromium.js";
import { Disposables } from "../run/disposables.js";
import { type Everwire, startEverwire } from "../run/everwire.js";
import { type FaultProxy, startFaultProxy } from "../run/fault-proxy.js";
import { startServer } from "../run/processes.js";
import { html, type Site, startSite } from "../run/site.js";
import type { ServerName } from "../servers/main.js";
import { type Blocked, blocked } from "./blocked.js";
import { type Cut, cut } from "./cut.js";
import { SILENCES, type Silence, silence } from "./silence.js";

/** A client with its server. */
export interface Subject {
  readonly name: string;
  readonly client: ClientName;
  readonly server: ServerName | "everwire";
}

const EVERWIRE: Subject = { name: "everwire", client: "everwire", server: "everwire" };
const SOCKET_IO: Subject = { name: "socket.io-client", client: "socketIo", server: "socket.io" };
const PUSHER: Subject = { name: "pusher-js", client: "pusher", server: "pusher" };
const CENTRIFUGE: Subject = { name: "centrifuge", client: "centrifuge", server: "centrifuge" };
const RECOVERING: Subject = {
  name: "socket.io-client, with state recovery",
  client: "socketIo",
  server: "socket.io-recovering",
};

/** All measurements. */
export interface Result {
  readonly benchmark: "faults";
  readonly browser: string;
  readonly rounds: number;
  readonly silences: readonly Silence[];
  readonly blocked: readonly Blocked[];
  readonly cuts: readonly Cut[];
}

export interface Options {
  readonly rounds: number;
  readonly progress?: (line: string) => void;
}

/** What the measurements share. */
export interface Environment {
  readonly chromium: Chromium;
  readonly site: Site;
  readonly everwire: Everwire;
  readonly ports: ReadonlyMap<Subject["server"], number>;
}

/** One client in its page, behind its proxy. */
export interface Visit {
  readonly page: Page;
  readonly proxy: FaultProxy;
  /** The server itself, without the proxy. */
  readonly server: string;
}

export async function faults({ rounds, progress = () => {} }: Options): Promise<Result> {
  await using disposables = new Disposables();
  progress("building the page, starting the servers and the browser");
  const files = new Map(await bundle(["faults"]));
  files.set("/index.html", html("/faults.js"));
  const site = disposables.add(await startSite(files));
  const everwire = disposables.add(await startEverwire(2));
  const ports = new Map<Subject["server"], number>([["everwire", Number(new URL(everwire.url).port)]]);
  for (const { server } of [SOCKET_IO, RECOVERING, PUSHER, CENTRIFUGE]) {
    if (server !== "everwire")
      ports.set(server, disposables.add(await startServer(server, everwire.file)).port);
  }
  const chromium = disposables.add(await startChromium());
  const environment: Environment = { chromium, site, everwire, ports };

  const all = [EVERWIRE, SOCKET_IO, PUSHER, CENTRIFUGE];
  const silences: Silence[] = SILENCES.flatMap((how) => all.map(({ name }) => ({ name, ...how, ms: [] })));
  const blocks: Blocked[] = all.map(({ name }) => ({ name, ms: [] }));
  const cuts: Cut[] = [];
  for (const subject of [EVERWIRE, SOCKET_IO, RECOVERING, PUSHER, CENTRIFUGE]) {
    cuts.push({ name: subject.name, lost: [], duplicated: [], subscribed_ms: [] });
  }
  for (let round = 0; round < rounds; round++) {
    const log = (line: string) => progress(`${round + 1}/${rounds} ${line}`);
    // Waiting for heartbeats costs no processor time, so everything else runs meanwhile.
    const long = Promise.all(
      all.flatMap((subject) =>
        SILENCES.map(async (how) => {
          const ms = await silence(environment, subject, how);
          silences.find(({ name, event }) => name === subject.name && event === how.event)?.ms.push(ms);
          log(`silence, ${how.event}: ${subject.name} ${ms === null ? "too long" : `${Math.round(ms)} ms`}`);
        }),
      ),
    );
    const short = (async () => {
      for (const subject of [EVERWIRE, SOCKET_IO]) {
        const ms = await blocked(environment, subject);
        blocks.find(({ name }) => name === subject.name)?.ms.push(ms);
        log(`WebSocket refused: ${subject.name} ${ms === null ? "never" : `${Math.round(ms)} ms`}`);
      }
      for (const subject of [EVERWIRE, SOCKET_IO, RECOVERING, PUSHER, CENTRIFUGE]) {
        const { lost, duplicated, subscribedMs } = await cut(environment, subject, round);
        const row = cuts.find(({ name }) => name === subject.name);
        row?.lost.push(lost);
        row?.duplicated.push(duplicated);
        row?.subscribed_ms.push(subscribedMs);
        log(`cut: ${subject.name} lost ${lost}, duplicated ${duplicated}`);
      }
    })();
    await Promise.all([long, short]);
  }
  return { benchmark: "faults", browser: chromium.version, rounds, silences, blocked: blocks, cuts };
}

/** Opens a subject's page with an empty cache and storage, runs a measurement in it, and closes it. */
export async function visit<Measured>(
  { chromium, site, ports }: Environment,
  { client, server }: Subject,
  target: Omit<Parameters["target"], "url">,
  measure: (visit: Visit) => Promise<Measured>,
): Promise<Measured> {
  const port = ports.get(server);
  if (port === undefined) throw new Error(`there is no server ${server}`);
  await using disposables = new Disposables();
  const proxy = disposables.add(await startFaultProxy(port));
  const context = await chromium.context();
  disposables.add({ stop: () => context.close() });
  const path = client === "centrifuge" ? "/1" : "";
  const orders: Parameters = { client, target: { url: `http://127.0.0.1:${proxy.port}${path}`, ...target } };
  const hash = encodeURIComponent(JSON.stringify(orders));
  const page = await context.open(`http://127.0.0.1:${site.port}/index.html#${hash}`);
  return await measure({ page, proxy, server: `http://127.0.0.1:${port}` });
}
