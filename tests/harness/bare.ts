// The bare page (pages/bare.ts) from a test: one browser page with any number of clients.

import type { ConnectOptions, Gap, Member, Position, Stored, Subscribed } from "everwire";
import type { BrowserContextOptions, Page } from "playwright-core";
import { onTestFinished } from "vitest";
import type { Outcome, Received, Seen } from "../pages/bare";
import { freshPage } from "./browser";
import { until } from "./until";

/** Options that can be passed to the page; a token callback stays in the page. */
export type PlainOptions = Omit<ConnectOptions, "token" | "debug"> & { token?: string };

/** Evaluates functions in a page: Playwright's page, or a tab of ours. */
export interface Evaluates {
  evaluate<R, A>(run: (argument: A) => R | Promise<R>, argument: A): Promise<R>;
}

/** An event of a channel, other than an entry. */
export interface ChannelEvent {
  readonly at: number;
  readonly channel: string;
  readonly event: "subscribed" | "gap" | "joined" | "left" | "error";
  readonly value: Subscribed | Gap | Member | string;
}

export class BarePage {
  constructor(
    readonly page: Page,
    readonly url: string,
  ) {}

  /** Opens the page, from a server or a proxy that serves it. */
  static async open(url: string, options: BrowserContextOptions = {}): Promise<BarePage> {
    const page = await freshPage(options);
    await page.goto(url);
    showLogsOnFailure(page);
    return new BarePage(page, url);
  }

  /** Connects a client with this name to the page's origin, unless told otherwise. */
  async connect(name: string, options: Partial<PlainOptions> = {}): Promise<PageClient> {
    const all = { url: this.url, guest: { user: name, name }, ...options };
    return openClient(this.page, name, all);
  }

  /** The same with tokens from a function of the test. */
  async connectWith(
    name: string,
    token: () => string | Promise<string>,
    options: Partial<PlainOptions> = {},
  ): Promise<PageClient> {
    await this.page.exposeFunction(`token_${name}`, token);
    await this.page.evaluate(
      ([name, options]) => {
        const token = Reflect.get(window, `token_${name}`) as () => Promise<string>;
        window.bare.open(name, { ...options, token });
      },
      [name, { url: this.url, ...options }] as const,
    );
    return clientIn(this.page, name);
  }
}

/** Connects a client in any kind of page. */
export async function openClient(
  page: Page | Evaluates,
  name: string,
  options: PlainOptions,
): Promise<PageClient> {
  const client = clientIn(page, name);
  await client.page.evaluate(([name, options]) => window.bare.open(name, options), [name, options] as const);
  return client;
}

// Playwright's type of `evaluate` also knows handles, which are not needed here.
const clientIn = (page: Page | Evaluates, name: string) => new PageClient(page as Evaluates, name);

/** Prints the log of the page's clients when the test fails. */
export function showLogsOnFailure(page: Page | Evaluates): void {
  onTestFinished(async ({ task }) => {
    if (task.result?.state !== "fail") return;
    console.error(await (page as Page).evaluate(() => window.bare.debug()).catch(String));
  });
}

/** One client in a page. */
export class PageClient {
  constructor(
    readonly page: Evaluates,
    readonly name: string,
  ) {}

  subscribe(
    channel: string,
    options: { recent?: number; position?: Position } = {},
  ): Promise<Outcome<Subscribed>> {
    const all = [this.name, channel, options] as const;
    return this.page.evaluate(
      ([name, channel, options]) => window.bare.subscribe(name, channel, options),
      all,
    );
  }

  send(channel: string, data: unknown): Promise<Outcome<Stored>> {
    const all = [this.name, channel, data] as const;
    return this.page.evaluate(([name, channel, data]) => window.bare.send(name, channel, data), all);
  }

  /** Sends `{ by, n }` for each n, without waiting. */
  sendMany(channel: string, from: number, count: number): Promise<void> {
    const all = [this.name, channel, from, count] as const;
    return this.page.evaluate(
      (all) => window.bare.sendMany(...(all as [string, string, number, number])),
      all,
    );
  }

  received(channel: string): Promise<Received[]> {
    return this.page.evaluate(([name, channel]) => window.bare.received(name, channel), [
      this.name,
      channel,
    ] as const);
  }

  receivedCount(channel: string): Promise<number> {
    return this.page.evaluate(([name, channel]) => window.bare.receivedCount(name, channel), [
      this.name,
      channel,
    ] as const);
  }

  /** Waits until this many entries have arrived, and returns them. */
  async waitForEntries(channel: string, count: number, timeoutMs?: number): Promise<Received[]> {
    await until(
      `${this.name} has received ${count} entries of ${channel}`,
      async () => (await this.receivedCount(channel)) >= count,
      {
        ...(timeoutMs !== undefined && { timeoutMs }),
        seen: async () => [await this.receivedCount(channel), (await this.states()).slice(-4)],
      },
    );
    return this.received(channel);
  }

  states(): Promise<Seen[]> {
    return this.page.evaluate((name) => window.bare.states(name), this.name);
  }

  errors(): Promise<string[]> {
    return this.page.evaluate((name) => window.bare.errors(name), this.name);
  }

  events(): Promise<ChannelEvent[]> {
    return this.page.evaluate((name) => window.bare.events(name), this.name) as Promise<ChannelEvent[]>;
  }

  async event(event: ChannelEvent["event"]): Promise<ChannelEvent> {
    return until(
      `${this.name} gets the event ${event}`,
      async () => (await this.events()).findLast((seen) => seen.event === event),
      { seen: () => this.events() },
    );
  }

  /** Waits for a state that began after `since` (ms since 1970), and returns it. */
  waitForState(status: string, { since = 0, transport = "" } = {}): Promise<Seen> {
    return until(
      `${this.name} is ${status} ${transport}`,
      async () =>
        (await this.states()).find(
          (seen) =>
            seen.at >= since && seen.status === status && (!transport || seen.transport === transport),
        ),
      { seen: async () => (await this.states()).slice(-6) },
    );
  }

  waitForConnection(transport = "", since = 0): Promise<Seen> {
    return this.waitForState("connected", { since, transport });
  }

  position(channel: string): Promise<Position | undefined> {
    return this.page.evaluate(([name, channel]) => window.bare.position(name, channel), [
      this.name,
      channel,
    ] as const);
  }

  report(): Promise<string> {
    return this.page.evaluate((name) => window.bare.report(name), this.name);
  }

  close(): Promise<Outcome<void>> {
    return this.page.evaluate((name) => window.bare.close(name), this.name);
  }
}

/** Asserts that the entries are a log without a gap or a duplicate: consecutive offsets, unique ids. */
export function expectContiguous(entries: readonly Received[]): void {
  const first = entries[0]?.offset ?? 1;
  const wrong = entries.findIndex(({ offset }, at) => offset !== first + at);
  if (wrong >= 0) {
    throw new Error(`offset ${entries[wrong]?.offset} arrived instead of ${first + wrong}`);
  }
  const ids = new Set(entries.map(({ id }) => id));
  if (ids.size !== entries.length) throw new Error(`${entries.length - ids.size} duplicate ids`);
}

/** The numbers of one sender's messages, in the order of arrival. */
export function numbersOf(entries: readonly Received[], sender: string): number[] {
  return entries
    .map(({ data }) => data as { by: string; n: number })
    .filter(({ by }) => by === sender)
    .map(({ n }) => n);
}
