// The third client as a process, driven by lines of JSON as README.md describes them.

import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { onTestFinished } from "vitest";
import { findProgram } from "../harness/programs";
import { until } from "../harness/until";

/** Python, or undefined. Without it, `cargo xtask test` has said how to get it. */
export const PYTHON = findProgram("python3");

/** A line that the adapter has written. */
export type Event = { readonly event: string } & Readonly<Record<string, unknown>>;

/** An entry that was delivered. */
export interface Entry {
  readonly offset: number;
  readonly id: string;
  readonly user: string;
  readonly data: unknown;
}

export interface Options {
  readonly token?: string;
  readonly ask_token?: boolean;
  readonly transports?: readonly string[];
  readonly session?: string;
  /** How many times faster than in the text its own times are. */
  readonly speed?: number;
}

/** Runs the client's module with these arguments until it ends, and returns what it has written. */
export async function runThird(...args: string[]): Promise<string> {
  const child = start(args);
  let text = "";
  child.stdout.on("data", (more) => {
    text += more;
  });
  await new Promise((done) => child.once("close", done));
  return text;
}

function start(args: readonly string[]): ChildProcessWithoutNullStreams {
  // -S: nothing but the standard library can be imported.
  return spawn(PYTHON ?? "python3", ["-B", "-S", ...args], { cwd: import.meta.dirname });
}

export class Third {
  readonly events: Event[] = [];
  readonly entries: Entry[] = [];
  /** The offset of each ack by the `ref` of its message. */
  readonly acks = new Map<string, Event>();
  /** Its present transport; undefined while it has none. */
  transport: string | undefined;
  /** How often it has changed from one transport to another, by the one that it came to. */
  readonly switches = { websocket: 0, polling: 0 };
  readonly #child: ChildProcessWithoutNullStreams;
  #last: string | undefined;
  #errors = "";

  private constructor(readonly name: string) {
    this.#child = start(["-m", "everwire_third", "--adapter"]);
    createInterface(this.#child.stdout).on("line", (line) => this.#event(JSON.parse(line) as Event));
    this.#child.stderr.on("data", (text) => {
      this.#errors += text;
    });
    onTestFinished(({ task }) => {
      this.#child.kill("SIGKILL");
      if (task.result?.state === "fail") {
        const last = this.events
          .filter(({ event }) => !["message", "acked", "sending"].includes(event))
          .slice(-30);
        console.error(`${name} has reported:\n${last.map((event) => JSON.stringify(event)).join("\n")}`);
        console.error(this.#errors);
      }
    });
  }

  /** An adapter without a client. */
  static start(name: string): Third {
    return new Third(name);
  }

  /** A client of a guest, or of the user of a token. */
  static connect(name: string, url: string, options: Options = {}): Third {
    const client = Third.start(name);
    const guest = options.token || options.ask_token ? {} : { guest: { user: name, name } };
    client.command({ command: "connect", url, ...guest, ...options });
    return client;
  }

  command(command: Readonly<Record<string, unknown>>): void {
    this.#child.stdin.write(`${JSON.stringify(command)}\n`);
  }

  send(channel: string, data: unknown, ref: string, more: object = {}): void {
    this.command({ command: "send", channel, data, ref, ...more });
  }

  async subscribe(channel: string, more: object = {}): Promise<Event> {
    this.command({ command: "subscribe", channel, ...more });
    return this.waitFor("subscribed", { channel });
  }

  /** What it has written to standard error: nothing, unless it has a bug. */
  get errors(): string {
    return this.#errors;
  }

  all(event: string): Event[] {
    return this.events.filter((line) => line.event === event);
  }

  /** Waits for an event with these fields, after the first `after` events. */
  waitFor(event: string, fields: Readonly<Record<string, unknown>> = {}, after = 0): Promise<Event> {
    return until(
      `${this.name} reports ${event} ${JSON.stringify(fields)}`,
      () =>
        this.events
          .slice(after)
          .find(
            (line) =>
              line.event === event && Object.entries(fields).every(([name, value]) => line[name] === value),
          ),
      { seen: () => [this.events.slice(-5), this.#errors.slice(-1000)] },
    );
  }

  waitForEntries(count: number, timeoutMs?: number): Promise<boolean> {
    return until(`${this.name} has received ${count} entries`, () => this.entries.length >= count, {
      ...(timeoutMs !== undefined && { timeoutMs }),
      seen: () => [this.entries.length, this.events.slice(-5), this.#errors.slice(-1000)],
    });
  }

  async close(): Promise<void> {
    this.command({ command: "close" });
    await this.waitFor("exit");
  }

  #event(event: Event): void {
    this.events.push(event);
    if (event.event === "message") this.entries.push(event.message as Entry);
    if (event.event === "acked") this.acks.set(String(event.ref), event);
    if (event.event !== "state") return;
    this.transport = event.status === "connected" ? String(event.transport) : undefined;
    const { transport } = this;
    if (transport !== "websocket" && transport !== "polling") return;
    if (this.#last !== undefined && this.#last !== transport) this.switches[transport]++;
    this.#last = transport;
  }
}
