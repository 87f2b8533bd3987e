// Fallback (promise 11): where WebSocket does not work, the client detects it, polls, and returns to WebSocket when it
// works. Each way in which proxies break WebSocket has a test; none loses or duplicates messages.

import { expect, it } from "vitest";
import { BarePage, expectContiguous, type PageClient } from "../harness/bare";
import { figure } from "../harness/figures";
import { FaultProxy, type SocketRule } from "../harness/proxy";
import { PAGES, Server } from "../harness/server";
import { until } from "../harness/until";

/** The bound of promise 11, in ms: 2.5 s until polling starts, and as much to connect. */
const BOUND_MS = 5000;

interface Scene {
  readonly proxy: FaultProxy;
  readonly bare: BarePage;
  readonly ben: PageClient;
}

/** Ben is connected directly; Ada is about to connect through the proxy. */
async function scene(rule: SocketRule): Promise<Scene> {
  const server = await Server.start({ serveDir: PAGES });
  const proxy = await FaultProxy.start(server.port);
  proxy.websocket = rule;
  const other = await BarePage.open(server.url);
  const ben = await other.connect("ben");
  await ben.subscribe("news");
  await ben.send("news", "from ben");
  return { proxy, bare: await BarePage.open(proxy.url), ben };
}

const BLOCKED: [string, SocketRule][] = [
  ["the upgrade is refused with 502", "refuse"],
  ["the connection is reset at the upgrade", "reset"],
  ["the upgrade is never answered", "hang"],
  ["the connection is reset as soon as it is open", "reset on open"],
  ["it opens, and a proxy buffers what the server sends", "buffer"],
];

it.each(BLOCKED)("%s: the first message arrives by polling within 5 s", async (how, rule) => {
  const { bare, ben } = await scene(rule);
  const start = await bare.page.evaluate(() => Date.now());
  const ada = await bare.connect("ada");
  await ada.subscribe("news", { recent: 1 });
  const [first] = await ada.waitForEntries("news", 1);
  const took = (first?.receivedAt ?? 0) - start;
  figure(`WebSocket blocked to first message by polling: ${how}`, took, "ms", BOUND_MS);
  expect(took).toBeLessThanOrEqual(BOUND_MS);
  expect((await ada.states()).at(-1)).toMatchObject({ status: "connected", transport: "polling" });
  await ada.send("news", "from ada");
  expectContiguous(await ben.waitForEntries("news", 2));
  expectContiguous(await ada.waitForEntries("news", 2));
});

it("a proxy that lets WebSocket open and then kills it: polling after the first one", async () => {
  const { proxy, bare, ben } = await scene({ killAfterMs: 300 });
  const ada = await bare.connect("ada");
  await ada.subscribe("news");
  const start = Date.now();
  await ada.waitForConnection("polling");
  figure("WebSocket killed after 300 ms each time, to polling", Date.now() - start, "ms");
  expect(proxy.asked.websocket).toBe(1);
  // It stays there: no flapping.
  for (let n = 0; n < 20; n++) await ben.send("news", n);
  expectContiguous(await ada.waitForEntries("news", 20));
  const states = (await ada.states()).filter(({ status }) => status === "connected");
  expect(states.map(({ transport }) => transport)).toEqual([
    ...Array(states.length - 1).fill("websocket"),
    "polling",
  ]);
  expect(proxy.asked.websocket).toBe(1);
});

it("the working transport is remembered: the next page does not wait for WebSocket", async () => {
  const { proxy, bare } = await scene("refuse");
  const ada = await bare.connect("ada");
  await ada.waitForConnection("polling");
  await until("it is remembered", () =>
    bare.page.evaluate(() => Object.keys(localStorage).some((key) => key.startsWith("everwire:polling"))),
  );
  const asked = proxy.asked.websocket;
  await bare.page.reload();
  const again = await bare.connect("ada");
  const { at } = await again.waitForConnection();
  const states = await again.states();
  expect(states.filter(({ status }) => status === "connected").map(({ transport }) => transport)).toEqual([
    "polling",
  ]);
  expect(proxy.asked.websocket).toBe(asked);
  figure("connected by polling where WebSocket is remembered not to work", at - (states[0]?.at ?? 0), "ms");
});

it("WebSocket works again: it is probed after 30 s and used, while messages flow", async () => {
  const { proxy, bare, ben } = await scene("refuse");
  const ada = await bare.connect("ada");
  await ada.subscribe("news");
  await ada.waitForConnection("polling");
  proxy.websocket = "pass";
  const healed = Date.now();
  // Both send without a pause while the transport changes.
  let written = 0;
  let done = false;
  const flow = (async () => {
    while (!done) {
      await Promise.all([ada.sendMany("news", written, 5), ben.sendMany("news", written, 5)]);
      written += 5;
      const count = written * 2;
      await until("the round has arrived", async () => (await ben.receivedCount("news")) >= count);
    }
  })();
  const { at } = await ada.waitForConnection("websocket", healed).finally(() => {
    done = true;
  });
  await flow;
  figure("WebSocket healed to used again (probed after 30 s)", at - healed, "ms");
  const received = await ada.waitForEntries("news", written * 2);
  expectContiguous(received);
  expect(received).toHaveLength(written * 2);
});

it("WebSocket works again and the browser fires online: it is used at once", async () => {
  const { proxy, bare, ben } = await scene("refuse");
  const ada = await bare.connect("ada");
  await ada.subscribe("news");
  await ada.waitForConnection("polling");
  proxy.websocket = "pass";
  await ada.sendMany("news", 0, 50);
  const healed = await bare.page.evaluate(() => {
    dispatchEvent(new Event("online"));
    return Date.now();
  });
  await ada.sendMany("news", 50, 50);
  const { at } = await ada.waitForConnection("websocket", healed);
  figure("WebSocket healed to used again (event online)", at - healed, "ms");
  await ada.sendMany("news", 100, 50);
  expectContiguous(await ada.waitForEntries("news", 150));
  const received = await ben.waitForEntries("news", 151);
  expectContiguous(received);
  expect(received).toHaveLength(151);
});
