// A proxy or firewall that refuses single messages (promise 22): each fails alone and soon, the others go, receiving goes on.

import { expect, it } from "vitest";
import { BarePage, type PageClient } from "../harness/bare";
import { figure } from "../harness/figures";
import { keptMessages } from "../harness/outbox";
import { FaultProxy } from "../harness/proxy";
import { PAGES, Server } from "../harness/server";
import { until } from "../harness/until";

const CHANNEL = "news";

/** Ada polls through a firewall that refuses what says "poison"; Ben has a direct connection. */
async function office(
  status: number,
): Promise<{ proxy: FaultProxy; page: BarePage; ada: PageClient; ben: PageClient }> {
  const server = await Server.start({ serveDir: PAGES });
  const proxy = await FaultProxy.start(server.port);
  proxy.poll = ({ body }) => (body.includes("poison") ? { status } : "pass");
  const [page, other] = await Promise.all([BarePage.open(proxy.url), BarePage.open(server.url)]);
  const [ada, ben] = [await page.connect("ada", { transports: ["polling"] }), await other.connect("ben")];
  await Promise.all([ada.subscribe(CHANNEL), ben.subscribe(CHANNEL)]);
  return { proxy, page, ada, ben };
}

it.each([403, 413, 200])("a message that is answered with %i by a proxy fails alone", async (status) => {
  const { ada, ben } = await office(status);
  const since = Date.now();
  const [refused, next] = await Promise.all([ada.send(CHANNEL, "poison"), ada.send(CHANNEL, "next")]);
  expect(refused).toMatchObject({ error: { code: "blocked", everwire: true, retry: false } });
  expect(next).toHaveProperty("ok");
  figure(
    `a message that a proxy answers with ${status}, until it fails and the next is stored`,
    Date.now() - since,
    "ms",
  );
  expect(Date.now() - since).toBeLessThan(7_000);
  await ben.send(CHANNEL, "from ben");
  const received = await ada.waitForEntries(CHANNEL, 2);
  expect(received.map(({ data }) => data)).toEqual(["next", "from ben"]);
  const states = await ada.states();
  expect(states.filter(({ status }) => status === "connected")).toHaveLength(1);
});

it("the same after a reload, where it is sent with what was kept", async () => {
  const { proxy, page, ada, ben } = await office(403);
  // Nothing gets out while the page lives.
  proxy.poll = ({ receiving }) => (receiving ? "pass" : "502");
  const unsent = ["before", "poison", "after"].map((text) => ada.send(CHANNEL, text).catch(() => undefined));
  await until("the page has tried to send", () => (proxy.faults.get("502") ?? 0) > 0);
  proxy.poll = ({ body }) => (body.includes("poison") ? { status: 403 } : "pass");
  await page.page.goto(page.url);
  await Promise.all(unsent);
  await page.connect("ada", { transports: ["polling"] });
  const received = await ben.waitForEntries(CHANNEL, 2);
  expect(received.map(({ data }) => data)).toEqual(["before", "after"]);
  await until("the refused one is given up", async () => (await keptMessages(page.page)) === 0);
});
