// Exactly once and in order (promises 1 and 4) where the connection is cut repeatedly, over WebSocket and polling.

import { expect, it } from "vitest";
import { BarePage, expectContiguous, numbersOf, type PageClient } from "../harness/bare";
import { figure } from "../harness/figures";
import { FaultProxy } from "../harness/proxy";
import { between, random } from "../harness/random";
import { PAGES, Server } from "../harness/server";
import { until } from "../harness/until";

const EACH = 500;
const CHANNEL = "private-orders";

async function exactlyOnce(transports: ("websocket" | "polling")[], cuts: number): Promise<void> {
  const server = await Server.start({ serveDir: PAGES });
  const proxies = await Promise.all([FaultProxy.start(server.port), FaultProxy.start(server.port)]);
  const next = random(`order over ${transports.join(" and ")}`);
  const clients: PageClient[] = [];
  const pages: BarePage[] = [];
  for (const [at, proxy] of proxies.entries()) {
    const bare = await BarePage.open(proxy.url);
    const client = await bare.connect(`p${at}`, { transports });
    await client.subscribe(CHANNEL);
    pages.push(bare);
    clients.push(client);
  }

  // Cut according to what has arrived, not by a timer.
  const points = Array.from({ length: cuts }, () => between(next, 0, 2 * EACH - 50)).sort((a, b) => a - b);
  const start = Date.now();
  let sent = 0;
  for (const point of points) {
    while (sent < EACH && sent * 2 < point + 100) {
      for (const client of clients) await client.sendMany(CHANNEL, sent, 25);
      sent += 25;
    }
    await until(
      `${point} have been received`,
      async () => ((await clients[0]?.receivedCount(CHANNEL)) ?? 0) >= point,
      {
        seen: () => Promise.all(clients.map((client) => client.receivedCount(CHANNEL))),
      },
    );
    proxies[between(next, 0, 1)]?.reset();
  }
  for (const client of clients) {
    if (sent < EACH) await client.sendMany(CHANNEL, sent, EACH - sent);
  }

  const wanted = [...Array(EACH).keys()];
  const logs = await Promise.all(clients.map((client) => client.waitForEntries(CHANNEL, 2 * EACH, 90_000)));
  for (const log of logs) {
    expectContiguous(log);
    expect(log).toHaveLength(2 * EACH);
    for (const { name } of clients) expect(numbersOf(log, name)).toEqual(wanted);
  }
  expect(logs[0]?.map(({ id }) => id)).toEqual(logs[1]?.map(({ id }) => id));
  // Every promise resolved with the offset of its message.
  for (const { page } of pages) {
    const ended = await until("all sends have ended", async () => {
      const all = await page.evaluate(() => window.bare.ended);
      return all.length === EACH && all;
    });
    for (const one of ended) {
      if (!("ok" in one)) throw new Error(`a send failed: ${JSON.stringify(one)}`);
      expect(logs[0]?.[one.ok.offset - 1]?.id).toBe(one.ok.id);
    }
  }
  figure(`1000 messages over ${cuts} cuts by ${transports.join(" or ")}`, Date.now() - start, "ms");
}

it("1000 messages of two senders over 12 cuts by WebSocket: each once and in order on both sides", () =>
  exactlyOnce(["websocket"], 12));

it("1000 messages of two senders over 12 cuts by polling: each once and in order on both sides", () =>
  exactlyOnce(["polling"], 12));

it("1000 messages of two senders over 12 cuts with both transports: each once and in order on both sides", () =>
  exactlyOnce(["websocket", "polling"], 12));

it("the outbox keeps its order over a reconnect, and reports its limit at once", async () => {
  const server = await Server.start({ serveDir: PAGES });
  const proxy = await FaultProxy.start(server.port);
  const bare = await BarePage.open(proxy.url);
  const ada = await bare.connect("ada");
  await ada.subscribe("news");
  await bare.page.context().setOffline(true);
  proxy.reset();
  await ada.waitForState("offline");
  await ada.sendMany("news", 0, 1000);
  expect(await ada.send("news", "one too many")).toMatchObject({
    error: { code: "queue_full", everwire: true, retry: true },
  });
  await bare.page.context().setOffline(false);
  const received = await ada.waitForEntries("news", 1000);
  expectContiguous(received);
  expect(numbersOf(received, "ada")).toEqual([...Array(1000).keys()]);
});
