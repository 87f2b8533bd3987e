// Many tabs of one browser that poll over HTTP/1.1 (promise 26): at most four hold a poll, so that sends, and the page's own
// requests, find a connection to leave by.

import { expect, it } from "vitest";
import { BarePage, type PageClient } from "../harness/bare";
import { freshContext } from "../harness/browser";
import { figure } from "../harness/figures";
import { FaultProxy } from "../harness/proxy";
import { PAGES, Server } from "../harness/server";
import { until } from "../harness/until";

const CHANNEL = "news";
const TABS = 6;
const ROUNDS = 8;

it("six tabs that poll send within 2 s, and the seventh works like the first", async () => {
  const server = await Server.start({ serveDir: PAGES });
  const proxy = await FaultProxy.start(server.port);
  const context = await freshContext();
  const open = async (name: string): Promise<PageClient> => {
    const page = await context.newPage();
    await page.goto(proxy.url);
    const client = await new BarePage(page, proxy.url).connect(name, { transports: ["polling"] });
    expect(await client.subscribe(CHANNEL)).toHaveProperty("ok");
    return client;
  };
  const tabs: PageClient[] = [];
  for (let n = 0; n < TABS; n++) tabs.push(await open(`tab${n}`));
  const [first] = context.pages();
  const times: number[] = [];
  const send = async (tab: PageClient, n: number) => {
    const since = Date.now();
    expect(await tab.send(CHANNEL, n)).toHaveProperty("ok");
    times.push(Date.now() - since);
  };
  for (let round = 0; round < ROUNDS; round++) {
    await Promise.all(tabs.map((tab) => send(tab, round)));
    const since = Date.now();
    await tabs[round % TABS]?.page.evaluate(
      () => fetch("/?own").then((response) => response.text()),
      undefined,
    );
    expect(Date.now() - since).toBeLessThan(5_000);
  }
  times.sort((a, b) => a - b);
  const p95 = times[Math.floor(times.length * 0.95)] ?? Number.POSITIVE_INFINITY;
  figure("send by polling in six tabs of one browser, p95", p95, "ms");
  expect(p95).toBeLessThan(2_000);
  const seventh = await open("tab6");
  await send(seventh, ROUNDS);
  for (const tab of tabs) await tab.waitForEntries(CHANNEL, TABS * ROUNDS + 1, 30_000);

  const taken = () =>
    seventh.page.evaluate(async () => (await navigator.locks.query()).held?.length, undefined);
  expect(await taken()).toBe(4);
  await first?.close();
  await until("another tab takes the slot of the one that was closed", async () => (await taken()) === 4);
});
