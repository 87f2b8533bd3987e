// People for the tests of features: each has a real page with a client of the package in it, which the test calls in its own
// words. A scene is a server and a proxy before it; the same story can be told over every transport, and with the
// transport or the server replaced in its middle.

import type { Client, ConnectOptions } from "everwire";
import type { JSHandle, Page } from "playwright-core";
import { it, onTestFinished } from "vitest";
import type { Note } from "../pages/people";
import { freshPage } from "./browser";
import { FaultProxy } from "./proxy";
import { PAGES, Server, type ServerOptions } from "./server";
import { until } from "./until";

/** How a story is told. */
export const WAYS = [
  "over WebSocket",
  "by polling",
  "across a change of the transport",
  "across a restart",
] as const;
export type Way = (typeof WAYS)[number];

/** The same test in every way, or in these. */
export function everyWay(
  title: string,
  story: (scene: Scene) => Promise<void>,
  { ways = WAYS, ...options }: ServerOptions & { ways?: readonly Way[] } = {},
): void {
  for (const way of ways) it(`${title} (${way})`, async () => story(await Scene.open(way, options)));
}

export class Scene {
  readonly #people: Person[] = [];

  private constructor(
    readonly way: Way,
    readonly server: Server,
    readonly proxy: FaultProxy,
  ) {}

  static async open(way: Way = "over WebSocket", options: ServerOptions = {}): Promise<Scene> {
    const server = await Server.start({ serveDir: PAGES, ...options });
    return new Scene(way, server, await FaultProxy.start(server.port));
  }

  /** Lets somebody in, on a device of their own, and waits for the connection. */
  async enter(name: string, options: Partial<ConnectOptions> = {}): Promise<Person> {
    const page = await freshPage();
    await page.goto(`${this.proxy.url}/people.html`);
    onTestFinished(async ({ task }) => {
      if (task.result?.state !== "fail") return;
      console.error(`${name}:\n${await page.evaluate(() => window.people.debug()).catch(String)}`);
    });
    const guest = options.token === undefined ? { guest: { user: name, name: name.toUpperCase() } } : {};
    const transports = this.way === "by polling" ? { transports: ["polling" as const] } : {};
    const all = { url: this.proxy.url, ...guest, ...transports, ...options };
    const client = (await page.evaluateHandle((all) => window.people.open(all), all)) as JSHandle<Client>;
    const person = new Person(name, page, client);
    this.#people.push(person);
    await person.connected();
    return person;
  }

  /** Several people, at once. */
  all<Names extends readonly string[]>(...names: Names): Promise<{ [Name in keyof Names]: Person }> {
    return Promise.all(names.map((name) => this.enter(name))) as Promise<{ [Name in keyof Names]: Person }>;
  }

  /**
   * What happens in the middle of the story: nothing, or WebSocket is blocked from now on, or the server is killed and started
   * again. `meanwhile` is done while nobody is connected, where that is so. Everybody is connected again afterwards.
   */
  async middle(meanwhile: () => Promise<void> = async () => undefined): Promise<void> {
    const connections = await Promise.all(this.#people.map((person) => person.connection()));
    switch (this.way) {
      case "across a change of the transport":
        this.proxy.websocket = "refuse";
        this.proxy.reset();
        await meanwhile();
        break;
      case "across a restart":
        await this.server.kill();
        await meanwhile();
        await this.server.start();
        break;
      default:
        await meanwhile();
        return;
    }
    // After a restart, whatever comes first will do.
    const transport = this.way === "across a restart" ? "" : "polling";
    await Promise.all(this.#people.map((person, at) => person.connected(transport, connections[at])));
  }

  /** Somebody's device is gone without a word, as after a crash or in a tunnel. */
  async crash(person: Person): Promise<void> {
    this.#people.splice(this.#people.indexOf(person), 1);
    await person.page.context().setOffline(true);
    await person.page.close();
  }

  /** Somebody closes the page. */
  async leave(person: Person): Promise<void> {
    this.#people.splice(this.#people.indexOf(person), 1);
    await person.do((client) => client.close());
  }
}

export class Person {
  constructor(
    readonly name: string,
    readonly page: Page,
    readonly client: JSHandle<Client>,
  ) {}

  /** Runs a function in the page, with the client. It sees nothing of the test but its argument. */
  do<R>(run: (client: Client) => R | Promise<R>): Promise<R>;
  do<R, A>(run: (client: Client, argument: A) => R | Promise<R>, argument: A): Promise<R>;
  do(run: (client: Client, argument: unknown) => unknown, argument?: unknown): Promise<unknown> {
    return this.client.evaluate(run as (client: unknown, argument: unknown) => unknown, argument);
  }

  /** Waits until a function says something other than undefined, null or false in the page, and returns it. */
  sees<R>(
    what: string,
    look: (client: Client) => R | Promise<R>,
  ): Promise<Exclude<R, undefined | null | false>>;
  sees<R, A>(
    what: string,
    look: (client: Client, argument: A) => R | Promise<R>,
    argument: A,
  ): Promise<Exclude<R, undefined | null | false>>;
  sees(
    what: string,
    look: (client: Client, argument: unknown) => unknown,
    argument?: unknown,
  ): Promise<unknown> {
    return until(`${this.name} sees ${what}`, () => this.do(look, argument), {
      timeoutMs: 30_000,
      seen: () => this.do((client) => client.state.status),
    });
  }

  /** The code of the error with which something ends that is tried; "" if it succeeds. */
  fails(run: (client: Client) => unknown): Promise<string>;
  fails<A>(run: (client: Client, argument: A) => unknown, argument: A): Promise<string>;
  fails(run: (client: Client, argument: never) => unknown, argument?: unknown): Promise<string> {
    return this.client.evaluate(
      async (client, [source, argument]) => {
        try {
          // Playwright brings functions into pages the same way, and forgets the code of an error on the way back.
          // biome-ignore lint/security/noGlobalEval: this is the test's own text.
          await globalThis.eval(`(${source})`)(client, argument);
          return "";
        } catch (error) {
          return (error as { code?: string }).code ?? String(error);
        }
      },
      [String(run), argument] as const,
    );
  }

  notes(name: string): Promise<readonly Note[]> {
    return this.page.evaluate((name) => window.people.notes(name), name);
  }

  /** The server's name for the connection. */
  connection(): Promise<string | undefined> {
    return this.do((client) => client.connection);
  }

  /** Waits for a connection; not for the one that is named. */
  async connected(transport = "", other?: string): Promise<void> {
    await this.sees(
      `a connection ${transport}`,
      (client, [transport, other]) => {
        const { state } = client;
        return (
          state.status === "connected" &&
          (!transport || state.transport === transport) &&
          client.connection !== other
        );
      },
      [transport, other ?? "none"] as const,
    );
  }
}
