// Users in tests of features: each has a real page with a client of the package, which the test calls directly. A scene
// is a server with a proxy in front; the same scenario runs over every transport, and with the transport or the server
// replaced in the middle.

import type { Client, ConnectOptions } from "everwire";
import type { JSHandle, Page } from "playwright-core";
import { it, onTestFinished } from "vitest";
import type { RecordedEvent } from "../pages/people";
import { freshPage } from "./browser";
import { FaultProxy } from "./proxy";
import { PAGES, Server, type ServerOptions } from "./server";
import { until } from "./until";

/** The variants of a scenario. */
export const VARIANTS = [
  "over WebSocket",
  "by polling",
  "across a change of the transport",
  "across a restart",
] as const;
export type Variant = (typeof VARIANTS)[number];

/** The same test in every variant, or in the given ones. */
export function everyTransport(
  title: string,
  scenario: (scene: Scene) => Promise<void>,
  { variants = VARIANTS, ...options }: ServerOptions & { variants?: readonly Variant[] } = {},
): void {
  for (const variant of variants)
    it(`${title} (${variant})`, async () => scenario(await Scene.open(variant, options)));
}

export class Scene {
  readonly #people: Person[] = [];

  private constructor(
    readonly variant: Variant,
    readonly server: Server,
    readonly proxy: FaultProxy,
  ) {}

  static async open(variant: Variant = "over WebSocket", options: ServerOptions = {}): Promise<Scene> {
    const server = await Server.start({ serveDir: PAGES, ...options });
    return new Scene(variant, server, await FaultProxy.start(server.port));
  }

  /** Adds a user with a device of their own, and waits for the connection. */
  async enter(name: string, options: Partial<ConnectOptions> = {}): Promise<Person> {
    const page = await freshPage();
    await page.goto(`${this.proxy.url}/people.html`);
    onTestFinished(async ({ task }) => {
      if (task.result?.state !== "fail") return;
      console.error(`${name}:\n${await page.evaluate(() => window.people.debug()).catch(String)}`);
    });
    const guest = options.token === undefined ? { guest: { user: name, name: name.toUpperCase() } } : {};
    const transports = this.variant === "by polling" ? { transports: ["polling" as const] } : {};
    const all = { url: this.proxy.url, ...guest, ...transports, ...options };
    const client = (await page.evaluateHandle((all) => window.people.open(all), all)) as JSHandle<Client>;
    const person = new Person(name, page, client);
    this.#people.push(person);
    await person.waitForConnection();
    return person;
  }

  /** Several users at once. */
  all<Names extends readonly string[]>(...names: Names): Promise<{ [Name in keyof Names]: Person }> {
    return Promise.all(names.map((name) => this.enter(name))) as Promise<{ [Name in keyof Names]: Person }>;
  }

  /**
   * The middle of the scenario: nothing, or WebSocket is blocked from now on, or the server is killed and started
   * again. `meanwhile` runs while nobody is connected, in the variants where that is so. Afterwards everybody is
   * connected again.
   */
  async middle(meanwhile: () => Promise<void> = async () => undefined): Promise<void> {
    const connections = await Promise.all(this.#people.map((person) => person.connection()));
    switch (this.variant) {
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
    // After a restart, any transport is fine.
    const transport = this.variant === "across a restart" ? "" : "polling";
    await Promise.all(this.#people.map((person, at) => person.waitForConnection(transport, connections[at])));
  }

  /** A device disappears without closing the connection, as after a crash or in a tunnel. */
  async crash(person: Person): Promise<void> {
    this.#people.splice(this.#people.indexOf(person), 1);
    await person.page.context().setOffline(true);
    await person.page.close();
  }

  /** A user closes the page. */
  async leave(person: Person): Promise<void> {
    this.#people.splice(this.#people.indexOf(person), 1);
    await person.run((client) => client.close());
  }
}

export class Person {
  constructor(
    readonly name: string,
    readonly page: Page,
    readonly client: JSHandle<Client>,
  ) {}

  /** Runs a function with the client in the page. It has no access to the test except for its argument. */
  run<R>(run: (client: Client) => R | Promise<R>): Promise<R>;
  run<R, A>(run: (client: Client, argument: A) => R | Promise<R>, argument: A): Promise<R>;
  run(run: (client: Client, argument: unknown) => unknown, argument?: unknown): Promise<unknown> {
    return this.client.evaluate(run as (client: unknown, argument: unknown) => unknown, argument);
  }

  /** Waits until a function in the page returns something other than undefined, null or false, and returns it. */
  waitFor<R>(
    what: string,
    look: (client: Client) => R | Promise<R>,
  ): Promise<Exclude<R, undefined | null | false>>;
  waitFor<R, A>(
    what: string,
    look: (client: Client, argument: A) => R | Promise<R>,
    argument: A,
  ): Promise<Exclude<R, undefined | null | false>>;
  waitFor(
    what: string,
    look: (client: Client, argument: unknown) => unknown,
    argument?: unknown,
  ): Promise<unknown> {
    return until(`${this.name} sees ${what}`, () => this.run(look, argument), {
      timeoutMs: 30_000,
      seen: () => this.run((client) => client.state.status),
    });
  }

  /** The error code with which an attempt fails; "" if it succeeds. */
  errorCode(run: (client: Client) => unknown): Promise<string>;
  errorCode<A>(run: (client: Client, argument: A) => unknown, argument: A): Promise<string>;
  errorCode(run: (client: Client, argument: never) => unknown, argument?: unknown): Promise<string> {
    return this.client.evaluate(
      async (client, [source, argument]) => {
        try {
          // Playwright serializes functions the same way, and drops the code of an error.
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

  records(name: string): Promise<readonly RecordedEvent[]> {
    return this.page.evaluate((name) => window.people.records(name), name);
  }

  /** The server's id of the connection. */
  connection(): Promise<string | undefined> {
    return this.run((client) => client.connection);
  }

  /** Waits for a connection other than the given one. */
  async waitForConnection(transport = "", other?: string): Promise<void> {
    await this.waitFor(
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
