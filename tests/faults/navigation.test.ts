// Pages come and go: into the cache for back and forward and out of it, and reloaded while messages are on their way.

import type { Page } from "playwright-core";
import { expect, it } from "vitest";
import { BarePage, gapless, numbersOf } from "../harness/bare";
import { figure } from "../harness/figures";
import { FaultProxy } from "../harness/proxy";
import { PAGES, Server } from "../harness/server";
import { until } from "../harness/until";

it("back from another page: the page comes out of the cache, connects again and misses nothing", async () => {
  const { url } = await Server.start({ serveDir: PAGES });
  const bare = await BarePage.open(url);
  const other = await BarePage.open(url);
  const ben = await other.connect("ben");
  const ada = await bare.connect("ada");
  await ada.listen("presence-room.1");
  await ada.connected("websocket");
  await bare.page.evaluate(() => {
    addEventListener("pageshow", ({ persisted }) =>
      Reflect.set(window, "cameBack", { persisted, at: Date.now() }),
    );
  });
  await ben.listen("presence-room.1");

  await bare.page.goto(`${url}/elsewhere.html`);
  for (let n = 0; n < 5; n++) await ben.send("presence-room.1", n);
  await bare.page.goBack({ waitUntil: "commit" });
  const cameBack = await until("the page is back", () =>
    bare.page.evaluate(
      () => Reflect.get(window, "cameBack") as { persisted: boolean; at: number } | undefined,
    ),
  );
  // Not a new page: it was kept, although it had a connection.
  expect(cameBack.persisted).toBe(true);
  const { at } = await ada.connected("websocket", cameBack.at);
  figure("back from the cache to connected", at - cameBack.at, "ms");
  const heard = await ada.hears("presence-room.1", 5);
  gapless(heard);
  expect(heard.map(({ data }) => data)).toEqual([0, 1, 2, 3, 4]);
  expect((await ben.events()).filter(({ event }) => event === "left")).toEqual([]);
});

/** Sends without waiting, and tells the test of each ack. */
async function sendFrom(bare: BarePage, from: number, count: number): Promise<void> {
  await bare.page.evaluate(
    ([from, count]) => {
      const channel = window.bare.seats.get("ada")?.client.channel("news");
      const tell = Reflect.get(window, "acked") as (id: string, offset: number) => void;
      for (let n = from; n < from + count; n++) {
        channel?.send({ by: "ada", n }).then(
          ({ id, offset }) => tell(id, offset),
          () => undefined,
        );
      }
    },
    [from, count] as const,
  );
}

it("reloaded in mid-send, again and again: everything arrives once and in order", async () => {
  const ROUNDS = 4;
  const EACH = 200;
  const { url } = await Server.start({ serveDir: PAGES });
  const bare = await BarePage.open(url);
  const other = await BarePage.open(url);
  const ben = await other.connect("ben");
  await ben.listen("news");
  const acked = new Map<string, number>();
  await bare.page.exposeFunction("acked", (id: string, offset: number) => acked.set(id, offset));
  for (let round = 0; round < ROUNDS; round++) {
    const ada = await bare.connect("ada");
    await ada.connected();
    const before = acked.size;
    await sendFrom(bare, round * EACH, EACH);
    await until("some are acked and others are not", () => acked.size > before);
    await bare.page.reload();
  }
  await bare.connect("ada");
  const heard = await ben.hears("news", ROUNDS * EACH);
  gapless(heard);
  expect(numbersOf(heard, "ada")).toEqual([...Array(ROUNDS * EACH).keys()]);
  for (const [id, offset] of acked) expect(heard[offset - 1]?.id).toBe(id);
});

/** How many messages the outbox of this origin keeps on disk. */
const kept = (page: Page) =>
  page.evaluate(
    () =>
      new Promise<number>((done) => {
        const opening = indexedDB.open("everwire");
        opening.onsuccess = () => {
          const db = opening.result;
          const counting = db.transaction("outbox").objectStore("outbox").count();
          counting.onsuccess = () => {
            db.close();
            done(counting.result);
          };
        };
      }),
  );

/** Two tabs of one user behind a proxy that then lets no carrier through, and somebody who listens past it. */
async function cutOff() {
  const server = await Server.start({ serveDir: PAGES });
  const proxy = await FaultProxy.start(server.port);
  const ben = await (await BarePage.open(server.url)).connect("ben");
  await ben.listen("news");
  const first = await BarePage.open(proxy.url);
  const guest = { user: "ada", name: "Ada" };
  const open = async (name: string) => {
    const tab = new BarePage(await first.page.context().newPage(), proxy.url);
    await tab.page.goto(proxy.url);
    const seat = await tab.connect(name, { guest });
    return { tab, seat };
  };
  const [one, two] = [await open("one"), await open("two")];
  // The server has to have said who they are.
  await Promise.all([one.seat.connected(), two.seat.connected()]);
  proxy.websocket = "refuse";
  proxy.poll = () => "502";
  proxy.reset();
  const heal = () => {
    proxy.websocket = "pass";
    proxy.poll = () => "pass";
  };
  return { ben, one, two, open, heal };
}

it("a tab is closed with unsent messages: when it is opened again, they are sent", async () => {
  const { ben, two, one, open, heal } = await cutOff();
  await one.tab.page.close();
  await two.seat.sendMany("news", 0, 50);
  await until("they are kept", async () => (await kept(two.tab.page)) === 50);
  await two.tab.page.close();
  heal();
  await open("again");
  const heard = await ben.hears("news", 50);
  gapless(heard);
  expect(numbersOf(heard, "two")).toEqual([...Array(50).keys()]);
});

it("two tabs of one user, and one is closed: each message once, each tab's in order", async () => {
  const { ben, one, two, open, heal } = await cutOff();
  await Promise.all([one.seat.sendMany("news", 0, 100), two.seat.sendMany("news", 0, 100)]);
  await until("they are kept", async () => (await kept(one.tab.page)) === 200);
  await two.tab.page.close();
  // Both may send what the closed one has left.
  heal();
  const late = await open("late");
  await late.seat.sendMany("news", 0, 10);
  const heard = await ben.hears("news", 210);
  gapless(heard);
  expect(heard).toHaveLength(210);
  for (const [name, count] of Object.entries({ one: 100, two: 100, late: 10 })) {
    expect(numbersOf(heard, name)).toEqual([...Array(count).keys()]);
  }
  await until("nothing is kept any more", async () => (await kept(one.tab.page)) === 0);
});
