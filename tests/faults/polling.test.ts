// Polling over a bad network (promise 12): responses that are lost, truncated or repeated, and duplicated requests,
// lose and duplicate no messages.

import { expect, it } from "vitest";
import { BarePage, expectContiguous, numbersOf, type PageClient } from "../harness/bare";
import { figure } from "../harness/figures";
import { FaultProxy, type PollRule } from "../harness/proxy";
import { random } from "../harness/random";
import { PAGES, Server } from "../harness/server";

const CHANNEL = "news";
const COUNT = 200;

async function two(): Promise<{ proxy: FaultProxy; ada: PageClient; ben: PageClient; server: Server }> {
  const server = await Server.start({ serveDir: PAGES });
  const proxy = await FaultProxy.start(server.port);
  const [bare, other] = await Promise.all([BarePage.open(proxy.url), BarePage.open(server.url)]);
  const ada = await bare.connect("ada", { transports: ["polling"] });
  const ben = await other.connect("ben");
  await Promise.all([ada.subscribe(CHANNEL), ben.subscribe(CHANNEL)]);
  return { proxy, ada, ben, server };
}

/** Both send in rounds, and both receive everything once and in order. */
async function talk({ ada, ben }: { ada: PageClient; ben: PageClient }): Promise<void> {
  for (let n = 0; n < COUNT; n += 20) {
    await Promise.all([ada.sendMany(CHANNEL, n, 20), ben.sendMany(CHANNEL, n, 20)]);
    // In rounds, so that a broken response is one of many.
    await ben.waitForEntries(CHANNEL, n + 20);
  }
  for (const client of [ada, ben]) {
    const received = await client.waitForEntries(CHANNEL, 2 * COUNT, 90_000);
    expectContiguous(received);
    expect(received).toHaveLength(2 * COUNT);
    for (const { name } of [ada, ben]) expect(numbersOf(received, name)).toEqual([...Array(COUNT).keys()]);
  }
}

it.each(["truncate", "lose", "repeat", "twice", "502"] as const)(
  "every third poll or post is hit by %s: each message once and in order",
  async (rule) => {
    const it = await two();
    it.proxy.poll = ({ number }) => (number % 3 === 0 ? rule : "pass");
    await talk(it);
    expect(it.proxy.faults.get(rule) ?? 0).toBeGreaterThan(2);
    it.proxy.poll = () => "pass";
    expect(await it.ada.send(CHANNEL, "after")).toHaveProperty("ok");
  },
);

it("random faults of all kinds: each message once and in order", async () => {
  const it = await two();
  const next = random("polling faults");
  const rules: PollRule[] = ["truncate", "lose", "repeat", "twice", "502"];
  it.proxy.poll = () => (next() < 0.3 ? (rules[Math.floor(next() * rules.length)] ?? "pass") : "pass");
  const start = Date.now();
  await talk(it);
  figure(`${2 * COUNT} messages by polling with 30 % of requests broken`, Date.now() - start, "ms");
});

it("over a slow line with high latency: each message once and in order", async () => {
  const it = await two();
  it.proxy.delayMs = 100;
  it.proxy.bytesPerSecond = 64 * 1024;
  await talk(it);
});

it("the server is killed and restarted: polling continues where it was", async () => {
  const it = await two();
  await it.ada.sendMany(CHANNEL, 0, 20);
  await it.ada.waitForEntries(CHANNEL, 20);
  await it.server.kill();
  await it.ada.sendMany(CHANNEL, 20, 20);
  await it.server.start();
  await it.ben.sendMany(CHANNEL, 0, 20);
  for (const client of [it.ada, it.ben]) {
    const received = await client.waitForEntries(CHANNEL, 60);
    expectContiguous(received);
    expect(numbersOf(received, "ada")).toEqual([...Array(40).keys()]);
  }
});
