// Reconnects do not grow memory (promise 18): JavaScript within noise, WebAssembly not at all. EVERWIRE_RECONNECTS sets how many
// there are.

import { expect, it } from "vitest";
import { BarePage } from "../harness/bare";
import { figure } from "../harness/figures";
import { FaultProxy } from "../harness/proxy";
import { PAGES, Server } from "../harness/server";
import { until } from "../harness/until";

const RECONNECTS = Number(process.env.EVERWIRE_RECONNECTS ?? 500);

/** The maximum growth over all reconnects, in bytes: a leak of 1 KiB each would be more. */
const NOISE = 300 * 1024;

async function meter(bare: BarePage) {
  const cdp = await bare.page.context().newCDPSession(bare.page);
  return async () => {
    // The tests' own records do not belong to the client.
    await bare.page.evaluate(() => {
      for (const client of window.bare.clients.values()) {
        client.states.length = 0;
        client.debug.length = 0;
        client.events.length = 0;
        for (const received of client.received.values()) received.length = 0;
      }
    });
    for (let n = 0; n < 3; n++) await cdp.send("HeapProfiler.collectGarbage");
    const { usedSize } = await cdp.send("Runtime.getHeapUsage");
    return { heap: usedSize, pages: await bare.page.evaluate(() => window.bare.wasmPages()) };
  };
}

/**
 * Puts every client of the page into the back/forward cache and back, and waits until all are connected again; repeated
 * as given.
 */
const putAway = (bare: BarePage, times: number) =>
  bare.page.evaluate(async (times) => {
    const clients = [...window.bare.clients.values()].map(({ client }) => client);
    for (let n = 0; n < times; n++) {
      const all = clients.map(
        (client) =>
          new Promise<void>((done) => {
            const off = client.on("state", ({ status }) => {
              if (status !== "connected") return;
              off();
              done();
            });
          }),
      );
      dispatchEvent(new PageTransitionEvent("pagehide", { persisted: true }));
      dispatchEvent(new PageTransitionEvent("pageshow", { persisted: true }));
      await Promise.all(all);
      if (n % 10 === 0) await clients[0]?.channel("news").send({ n });
    }
  }, times);

/** This many reconnects fill every bounded buffer: the ring of recent lines of each client. */
const WARM_UP = 40;

it(`one client, ${RECONNECTS} times hidden in the back/forward cache and back`, {
  timeout: 300_000,
}, async () => {
  const { url } = await Server.start({ serveDir: PAGES });
  const bare = await BarePage.open(url);
  const ada = await bare.connect("ada");
  await ada.subscribe("news");
  const measure = await meter(bare);
  await putAway(bare, 4 * WARM_UP);
  const before = await measure();
  const start = Date.now();
  await putAway(bare, RECONNECTS);
  figure(`${RECONNECTS} reconnects of one client`, Date.now() - start, "ms");
  const after = await measure();
  figure(`heap growth over ${RECONNECTS} reconnects`, (after.heap - before.heap) / 1024, "KiB", NOISE / 1024);
  figure(`wasm pages over ${RECONNECTS} reconnects`, after.pages - before.pages, "pages", 0);
  expect(before.pages).toBeGreaterThan(0);
  expect(after.pages).toBe(before.pages);
  expect(after.heap - before.heap).toBeLessThan(NOISE);
});

it("5 clients, cut 10 times by the network", async () => {
  const server = await Server.start({ serveDir: PAGES });
  const proxy = await FaultProxy.start(server.port);
  const bare = await BarePage.open(proxy.url);
  for (let n = 0; n < 5; n++) {
    const client = await bare.connect(`c${n}`, { transports: ["websocket"] });
    await client.subscribe("news");
  }
  const cut = async (times: number) => {
    for (let n = 0; n < times; n++) {
      const since = Date.now();
      proxy.reset();
      await until("all have noticed and are back", () =>
        bare.page.evaluate((since) => {
          const back = [...window.bare.clients.values()].every(({ client, states }) => {
            const cutOff = states.some(({ at, status }) => at >= since && status !== "connected");
            return cutOff && client.state.status === "connected";
          });
          // Waking shortens the backoff, which is not what is tested here.
          if (!back) dispatchEvent(new Event("online"));
          return back;
        }, since),
      );
    }
  };
  const measure = await meter(bare);
  await putAway(bare, WARM_UP);
  await cut(3);
  const before = await measure();
  await cut(10);
  const after = await measure();
  figure("heap growth over 50 reconnects after cuts", (after.heap - before.heap) / 1024, "KiB", NOISE / 1024);
  figure("wasm pages over 50 reconnects after cuts", after.pages - before.pages, "pages", 0);
  expect(after.pages).toBe(before.pages);
  expect(after.heap - before.heap).toBeLessThan(NOISE);
});

it("100 clients, created and closed one after the other, leave nothing behind", async () => {
  const { url } = await Server.start({ serveDir: PAGES });
  const bare = await BarePage.open(url);
  const makeAndClose = (times: number) =>
    bare.page.evaluate(
      async ([times, url]) => {
        for (let n = 0; n < times; n++) {
          window.bare.open("short", { url, guest: { user: "short", name: "S" } });
          await window.bare.subscribe("short", "news");
          await window.bare.send("short", "news", n);
          await window.bare.close("short");
          window.bare.clients.delete("short");
        }
      },
      [times, url] as const,
    );
  const measure = await meter(bare);
  await makeAndClose(50);
  const before = await measure();
  await makeAndClose(100);
  const after = await measure();
  figure("heap growth over 100 clients", (after.heap - before.heap) / 1024, "KiB", NOISE / 1024);
  expect(after.pages).toBe(before.pages);
  expect(after.heap - before.heap).toBeLessThan(NOISE);
});
