// The third client under everything that goes wrong: servers that are killed, connections that are cut or lead into a black
// hole, lost, truncated, repeated and doubled requests, and changes of the transport. Nothing is lost, doubled or reordered.
// EVERWIRE_CHAOS_MESSAGES sets how many messages there are.

import { describe, expect, it } from "vitest";
import { figure } from "../harness/figures";
import { FaultProxy, type PollRule, type SocketRule } from "../harness/proxy";
import { between, type Random, random } from "../harness/random";
import { PAGES, Server } from "../harness/server";
import { until } from "../harness/until";
import { PYTHON, Third } from "./third";

const MESSAGES = Number(process.env.EVERWIRE_CHAOS_MESSAGES ?? 2_000);
const CHANNEL = "news";
/** The clients' own times are divided by this, so that black holes and probes fit into a test. */
const SPEED = 12;
/** How many messages there are between two faults: some of them are under way when the next one comes. */
const BETWEEN = 50;

const POLL_RULES: PollRule[] = ["truncate", "lose", "repeat", "twice", "502"];
const SOCKET_RULES: SocketRule[] = [
  "refuse",
  "reset",
  "hang",
  "reset on open",
  "buffer",
  { killAfterMs: 30 },
];

/** Sends numbered messages. */
class Sender {
  sent = 0;

  constructor(readonly client: Third) {}

  send(): void {
    this.client.send(CHANNEL, { by: this.client.name, n: this.sent }, String(this.sent));
    this.sent++;
  }
}

/** Injects one fault of each kind in random order, again and again. */
class Chaos {
  readonly #kinds: readonly (readonly [string, () => Promise<void> | void])[];
  #left: string[] = [];
  readonly counts = new Map<string, number>();

  constructor(
    private readonly server: Server,
    private readonly proxies: readonly FaultProxy[],
    private readonly clients: readonly Third[],
    private readonly next: Random,
  ) {
    this.#kinds = [
      ["kill", () => this.#kill()],
      ["cut", () => this.#each((proxy) => proxy.reset())],
      ["black hole", () => this.#each((proxy) => proxy.swallow())],
      ["dark network", () => this.#dark()],
      ["lossy polls", () => this.#lossy()],
      ["no websocket", () => this.#withoutWebSocket(this.#socketRule())],
      ["calm", () => undefined],
    ];
  }

  async inject(): Promise<void> {
    this.end();
    if (this.#left.length === 0) this.#left = this.#kinds.map(([name]) => name);
    const [kind] = this.#left.splice(Math.floor(this.next() * this.#left.length), 1);
    this.counts.set(String(kind), (this.counts.get(String(kind)) ?? 0) + 1);
    await this.#kinds.find(([name]) => name === kind)?.[1]();
  }

  /** WebSocket stops working and works again: these clients, which may use it, poll, and return by a probe. */
  async thereAndBack(clients: readonly Third[]): Promise<void> {
    await this.#withoutWebSocket("refuse");
    await until("a probe has brought WebSocket back", () =>
      clients.every(({ switches }) => switches.polling > 0 && switches.websocket > 0),
    );
  }

  /** From now on nothing goes wrong. */
  end(): void {
    this.#each((proxy) => {
      proxy.poll = () => "pass";
    });
  }

  #each(act: (proxy: FaultProxy) => void): void {
    for (const proxy of this.proxies) act(proxy);
  }

  async #kill(): Promise<void> {
    await this.server.kill();
    await this.server.start();
  }

  async #dark(): Promise<void> {
    const reconnects = () => this.clients.map((client) => client.all("state").length);
    const before = reconnects();
    this.#each((proxy) => proxy.swallow({ alsoNew: true }));
    await until("a client has noticed", () => reconnects().some((count, at) => count > (before[at] ?? 0)));
    this.#each((proxy) => proxy.lift());
  }

  #lossy(): void {
    const pick = () => POLL_RULES[Math.floor(this.next() * POLL_RULES.length)] ?? "pass";
    this.#each((proxy) => {
      proxy.poll = () => (this.next() < 0.35 ? pick() : "pass");
    });
  }

  #socketRule(): SocketRule {
    return SOCKET_RULES[between(this.next, 0, SOCKET_RULES.length - 1)] ?? "refuse";
  }

  async #withoutWebSocket(rule: SocketRule): Promise<void> {
    this.#each((proxy) => {
      proxy.websocket = rule;
      proxy.reset();
    });
    await until("everybody polls", () => this.clients.every(({ transport }) => transport === "polling"), {
      seen: () => [rule, this.clients.map((client) => client.all("state").slice(-4))],
    });
    this.#each((proxy) => {
      proxy.websocket = "pass";
    });
  }
}

describe.skipIf(PYTHON === undefined)("the third client in chaos", () => {
  it(`${MESSAGES} messages: none lost, doubled or reordered`, {
    timeout: 60_000 + MESSAGES * 100,
  }, async () => {
    const args = ["--ping-interval-ms", "1000", "--replay-limit", "1000000"];
    const server = await Server.start({ serveDir: PAGES, args });
    // Each has a proxy of its own, which repeats the responses to this client only.
    const proxies: FaultProxy[] = [];
    const open = async (name: string, ...transports: string[]) => {
      const proxy = await FaultProxy.start(server.port);
      proxies.push(proxy);
      return Third.connect(name, proxy.url, { speed: SPEED, transports });
    };
    const clients = [
      await open("ada", "websocket", "polling"),
      await open("ben", "websocket", "polling"),
      await open("cyd", "polling"),
    ];
    await Promise.all(clients.map((client) => client.subscribe(CHANNEL)));
    const senders = clients.map((client) => new Sender(client));
    const acks = () => clients.reduce((sum, client) => sum + client.acks.size, 0);
    const next = random("chaos");
    const chaos = new Chaos(server, proxies, clients, next);
    const start = Date.now();

    // Later, how often the transport changes is a matter of luck: after several fallbacks probes become rare.
    await chaos.thereAndBack(clients.slice(0, 2));
    for (let sent = 0; sent < MESSAGES; ) {
      for (const end = Math.min(sent + BETWEEN, MESSAGES); sent < end; sent++) senders[sent % 3]?.send();
      const enough = sent - between(next, 1, BETWEEN);
      await until("some more are acknowledged", () => acks() >= enough, {
        seen: () => [acks(), ...clients.map((client) => client.events.slice(-2))],
      });
      await chaos.inject();
    }
    chaos.end();
    await until("everything is acknowledged", () => acks() === MESSAGES, {
      seen: () => [acks(), ...clients.map((client) => client.events.slice(-2))],
    });
    figure(`chaos, ${MESSAGES} messages`, Date.now() - start, "ms");
    const injected = proxies.map((proxy) => Object.fromEntries(proxy.faults));
    console.log(`faults: ${JSON.stringify([Object.fromEntries(chaos.counts), ...injected])}`);

    for (const client of clients) {
      await client.waitForEntries(MESSAGES);
      expect(client.entries.map(({ offset }) => offset)).toEqual(
        [...Array(MESSAGES).keys()].map((at) => at + 1),
      );
      expect(client.entries.map(({ id }) => id)).toEqual(clients[0]?.entries.map(({ id }) => id));
      for (const { client: sender, sent } of senders) {
        const mine = client.entries.filter(({ user }) => user === sender.name);
        expect(mine.map(({ data }) => data)).toEqual(
          [...Array(sent).keys()].map((n) => ({ by: sender.name, n })),
        );
        expect(mine.map(({ offset }) => offset)).toEqual(
          mine.map((_, n) => sender.acks.get(String(n))?.offset),
        );
      }
      for (const event of ["gap", "failed", "invalid", "unsubscribed"]) expect(client.all(event)).toEqual([]);
      expect(client.errors).toBe("");
    }
    // Nobody has missed a fault.
    for (const count of chaos.counts.values()) expect(count).toBeGreaterThan(1);
    expect(chaos.counts.size).toBe(7);
  });
});
