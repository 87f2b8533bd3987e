// A page with nothing but the package: clients are opened by name, and everything that they report is recorded for the
// test.

import { type Client, type ConnectOptions, connect, EverwireError, type Message } from "everwire";

/** An entry as it reached the listener. */
export interface Received {
  readonly offset: number;
  readonly id: string;
  readonly user: string;
  readonly data: unknown;
  /** When it arrived, in ms since 1970. */
  readonly receivedAt: number;
}

/** The outcome of a promise. */
export type Outcome<T> =
  | { readonly ok: T }
  | { readonly error: { code: string; message: string; retry: boolean; everwire: boolean } };

/** A state, and when it began, in ms since 1970. */
export interface Seen {
  readonly at: number;
  readonly status: string;
  readonly transport?: string;
  readonly attempt?: number;
  readonly reason: string;
  readonly code?: string;
}

interface RecordedClient {
  readonly client: Client;
  readonly states: Seen[];
  readonly errors: string[];
  readonly debug: string[];
  /** Events of channels in the order of arrival, without entries. */
  readonly events: { at: number; channel: string; event: string; value: unknown }[];
  readonly received: Map<string, Received[]>;
}

/** How many lines of a client's log are kept for a failing test. */
const DEBUG_LINES = 300;

const clients = new Map<string, RecordedClient>();
const memories: WebAssembly.Memory[] = [];

// To measure the WebAssembly memory, which is not accessible otherwise.
const { instantiate } = WebAssembly;
WebAssembly.instantiate = (async (...args: Parameters<typeof instantiate>) => {
  const result = (await instantiate(...args)) as
    | WebAssembly.Instance
    | WebAssembly.WebAssemblyInstantiatedSource;
  const { exports } = "instance" in result ? result.instance : result;
  for (const value of Object.values(exports)) if (value instanceof WebAssembly.Memory) memories.push(value);
  return result;
}) as typeof instantiate;

const uncaught: string[] = [];
addEventListener("error", (event) => {
  uncaught.push(String(event.error?.message ?? event.message));
  // Handled: not reported to the console.
  event.preventDefault();
});

function clientOf(name: string): RecordedClient {
  const found = clients.get(name);
  if (!found) throw new Error(`there is no client ${name}`);
  return found;
}

async function outcome<T>(promise: Promise<T>): Promise<Outcome<T>> {
  try {
    return { ok: await promise };
  } catch (error) {
    const { code, message, retry } = error as EverwireError;
    return { error: { code, message, retry, everwire: error instanceof EverwireError } };
  }
}

const bare = {
  clients,
  uncaught,

  /** Connects. A token callback calls the function `token` of the page. */
  open(name: string, options: ConnectOptions): void {
    const debug: string[] = [];
    const log = (line: string) => {
      debug.push(`${new Date().toISOString().slice(14, 23)} ${line}`);
      if (debug.length > DEBUG_LINES) debug.shift();
    };
    const client = connect({ ...options, debug: log });
    const mine: RecordedClient = { client, states: [], errors: [], debug, events: [], received: new Map() };
    clients.set(name, mine);
    const look = () => {
      const state = client.state;
      mine.states.push({
        at: Date.now(),
        status: state.status,
        reason: state.reason,
        ...(state.status === "connected" && { transport: state.transport }),
        ...("attempt" in state && { attempt: state.attempt }),
        ...(state.status === "closed" && state.error && { code: state.error.code }),
      });
    };
    look();
    client.on("state", look);
    client.on("error", ({ code }) => mine.errors.push(code));
  },

  /** Records what a channel reports, and subscribes it. */
  subscribe(
    name: string,
    channel: string,
    options?: { recent?: number; position?: { epoch: string; offset: number } },
  ) {
    const { client, received, events } = clientOf(name);
    const entries = received.get(channel) ?? [];
    const target = client.channel(channel);
    if (!received.has(channel)) {
      received.set(channel, entries);
      target.on("message", ({ offset, id, user, data }: Message) =>
        entries.push({ offset, id, user, data, receivedAt: Date.now() }),
      );
      for (const event of ["subscribed", "gap", "joined", "left", "error"] as const) {
        target.on(event, (value: unknown) => {
          const plain = value instanceof EverwireError ? value.code : value;
          events.push({ at: Date.now(), channel, event, value: plain });
        });
      }
    }
    return outcome(target.subscribe(options));
  },

  send: (name: string, channel: string, data: unknown) =>
    outcome(clientOf(name).client.channel(channel).send(data)),

  /** Sends without waiting: the page records each outcome. */
  ended: [] as Outcome<{ id: string; offset: number }>[],
  sendMany(name: string, channel: string, from: number, count: number): void {
    const target = clientOf(name).client.channel(channel);
    for (let n = from; n < from + count; n++) {
      void outcome(target.send({ by: name, n })).then((ended) => bare.ended.push(ended));
    }
  },

  state: (name: string) => clientOf(name).client.state,
  states: (name: string) => clientOf(name).states,
  debug: () => [...clients].map(([name, { debug }]) => `${name}:\n${debug.slice(-40).join("\n")}`).join("\n"),
  errors: (name: string) => clientOf(name).errors,
  events: (name: string) => clientOf(name).events,
  received: (name: string, channel: string) => clientOf(name).received.get(channel) ?? [],
  receivedCount: (name: string, channel: string) => (clientOf(name).received.get(channel) ?? []).length,
  report: (name: string) => clientOf(name).client.report(),
  position: (name: string, channel: string) => clientOf(name).client.channel(channel).position,
  close: (name: string) => outcome(clientOf(name).client.close()),

  /** 64 KiB pages of WebAssembly memory, of all instances together. */
  wasmPages: () => memories.reduce((sum, memory) => sum + memory.buffer.byteLength / 65_536, 0),
};

export type Bare = typeof bare;

declare global {
  interface Window {
    bare: Bare;
  }
}

window.bare = bare;
