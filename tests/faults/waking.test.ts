// Waking (promise 10): an open socket is not trusted. A dead one is replaced within 4 s after the page wakes, whatever
// made it sleep. The socket is really dead: the proxy keeps it open and lets nothing through.

import { expect, it } from "vitest";
import { BarePage, expectContiguous, openClient, type PageClient, showLogsOnFailure } from "../harness/bare";
import { figure } from "../harness/figures";
import { FaultProxy } from "../harness/proxy";
import { PAGES, Server } from "../harness/server";
import { Tab } from "../harness/tab";

/** The bound of promise 10, in ms. */
const BOUND_MS = 4000;

interface Scene {
  readonly server: Server;
  readonly proxy: FaultProxy;
  readonly bare: BarePage;
  readonly ada: PageClient;
}

async function scene(options: { transports?: ("websocket" | "polling")[] } = {}): Promise<Scene> {
  const server = await Server.start({ serveDir: PAGES });
  const proxy = await FaultProxy.start(server.port);
  const bare = await BarePage.open(proxy.url);
  const ada = await bare.connect("ada", options);
  await ada.subscribe("news");
  await ada.send("news", "before");
  await ada.waitForEntries("news", 1);
  return { server, proxy, bare, ada };
}

/** Another user writes, who is not behind the proxy. */
async function missed(server: Server): Promise<void> {
  const other = await BarePage.open(server.url);
  const ben = await other.connect("ben");
  await ben.send("news", "while she was away");
}

/** The time from waking until the connection works and missed messages have arrived. */
async function replaced(how: string, { ada }: { ada: PageClient }, wokenAt: number): Promise<void> {
  const { at } = await ada.waitForConnection("", wokenAt);
  figure(`dead socket replaced after waking: ${how}`, at - wokenAt, "ms", BOUND_MS);
  expect(at - wokenAt).toBeLessThanOrEqual(BOUND_MS);
  const received = await ada.waitForEntries("news", 2);
  expectContiguous(received);
  expect(await ada.send("news", "after")).toMatchObject({ ok: { offset: 3 } });
}

/** The same in a tab that can be hidden and frozen. */
async function tabScene() {
  const server = await Server.start({ serveDir: PAGES });
  const proxy = await FaultProxy.start(server.port);
  const tab = await Tab.open(proxy.url);
  showLogsOnFailure(tab);
  const ada = await openClient(tab, "ada", { url: proxy.url, guest: { user: "ada", name: "Ada" } });
  await ada.subscribe("news");
  await ada.send("news", "before");
  await ada.waitForEntries("news", 1);
  return { server, proxy, tab, ada };
}

it("hidden behind another tab, then visible again", async () => {
  const it = await tabScene();
  await it.tab.hide();
  it.proxy.swallow();
  await missed(it.server);
  const wokenAt = Date.now();
  await it.tab.show();
  await replaced("visible again", it, wokenAt);
});

it("frozen by the browser, then resumed", async () => {
  const it = await tabScene();
  await it.tab.hide();
  await it.tab.freeze();
  it.proxy.swallow();
  await missed(it.server);
  const wokenAt = Date.now();
  await it.tab.resume();
  await it.tab.show();
  await replaced("frozen and resumed", it, wokenAt);
});

it("the network changed: offline and online again", async () => {
  const it = await scene();
  it.proxy.swallow();
  await it.bare.page.context().setOffline(true);
  await missed(it.server);
  const wokenAt = Date.now();
  await it.bare.page.context().setOffline(false);
  await replaced("offline and online", it, wokenAt);
});

it("the online event alone, as when another network was joined", async () => {
  const it = await scene();
  it.proxy.swallow();
  await missed(it.server);
  const wokenAt = await it.bare.page.evaluate(() => {
    dispatchEvent(new Event("online"));
    return Date.now();
  });
  await replaced("online", it, wokenAt);
});

it("the clock has jumped, as after the machine slept", async () => {
  const it = await scene();
  it.proxy.swallow();
  await missed(it.server);
  const wokenAt = await it.bare.page.evaluate(() => {
    const now = Date.now;
    const at = now();
    Date.now = () => now() + 3_600_000;
    return at;
  });
  // The page's clock is an hour ahead now.
  const { at } = await it.ada.waitForConnection("", wokenAt + 3_600_000);
  const took = at - 3_600_000 - wokenAt;
  figure("dead socket replaced after waking: clock jumped (with up to 1 s to notice)", took, "ms");
  expect(took).toBeLessThanOrEqual(BOUND_MS + 1000);
  expectContiguous(await it.ada.waitForEntries("news", 2));
});

it("a polling client that wakes polls at once", async () => {
  const it = await scene({ transports: ["polling"] });
  it.proxy.swallow();
  await missed(it.server);
  const wokenAt = await it.bare.page.evaluate(() => {
    dispatchEvent(new Event("online"));
    return Date.now();
  });
  const received = await it.ada.waitForEntries("news", 2);
  const took = (received[1]?.receivedAt ?? 0) - wokenAt;
  figure("dead poll replaced after waking", took, "ms", BOUND_MS);
  expect(took).toBeLessThanOrEqual(BOUND_MS);
});

it("a live socket is kept: waking costs a ping and no reconnect", async () => {
  const it = await tabScene();
  await it.tab.evaluate(() => {
    for (const event of ["online", "offline"]) dispatchEvent(new Event(event));
  });
  // The browser is wrong: the connection still works. If nothing had been received in between, `online` would be a reason
  // to reconnect.
  await it.ada.send("news", "all the same");
  await it.tab.evaluate(() => void dispatchEvent(new Event("online")));
  // Not frozen: then Chromium itself would close the socket.
  await it.tab.hide();
  await it.tab.show();
  await missed(it.server);
  await it.ada.waitForEntries("news", 3);
  expect(it.proxy.asked.websocket).toBe(1);
});

it("a connection that the application closed stays closed, whatever event fires", async () => {
  const it = await tabScene();
  await it.ada.close();
  const asked = it.proxy.asked.websocket;
  await it.tab.hide();
  await it.tab.freeze();
  await it.tab.resume();
  await it.tab.show();
  await it.tab.evaluate(() => {
    dispatchEvent(new Event("online"));
    dispatchEvent(new PageTransitionEvent("pageshow", { persisted: true }));
  });
  // Another client of the same page shows that the page is awake and the network works.
  const ben = await openClient(it.tab, "ben", { url: it.proxy.url, guest: { user: "ben", name: "Ben" } });
  await ben.waitForConnection();
  expect((await it.ada.states()).at(-1)?.status).toBe("closed");
  expect(it.proxy.asked.websocket).toBe(asked + 1);
});

it("without any event, the heartbeat detects the silence (promise 9)", async () => {
  const server = await Server.start({ serveDir: PAGES, args: ["--ping-interval-ms", "1000"] });
  const proxy = await FaultProxy.start(server.port);
  const bare = await BarePage.open(proxy.url);
  const ada = await bare.connect("ada");
  await ada.waitForConnection();
  // Kept alive by pings alone: longer than the interval and its grace period.
  const since = Date.now();
  proxy.swallow();
  const { at } = await ada.waitForConnection("", since);
  figure("half-open socket replaced by heartbeat (interval 1 s, grace 10 s)", at - since, "ms");
  // Interval, grace period, a second for a late timer, a second for the first retry, and a second to connect.
  expect(at - since).toBeLessThanOrEqual(14_000);
});
