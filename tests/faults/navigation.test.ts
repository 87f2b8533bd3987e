// Pages come and go: into the cache for back and forward and out of it, and reloaded while messages are on their way.

import { expect, it } from "vitest";
import { BarePage, gapless, numbersOf } from "../harness/bare";
import { figure } from "../harness/figures";
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

it("a tab is closed with unsent messages: when it is opened again, they are sent", async () => {
  const { url } = await Server.start({ serveDir: PAGES });
  const other = await BarePage.open(url);
  const ben = await other.connect("ben");
  await ben.listen("news");
  const bare = await BarePage.open(url);
  const ada = await bare.connect("ada");
  await ada.listen("news");
  const context = bare.page.context();
  // The page itself has to come from somewhere when it is opened again: only the carriers are cut off.
  await context.route("**/everwire/**", (route) => route.abort());
  await context.routeWebSocket("**/everwire/**", (socket) => socket.close());
  await bare.page.reload();
  const waiting = await bare.connect("ada");
  await waiting.sendMany("news", 0, 20);
  await waiting.reaches("waiting");
  await bare.page.close();

  await context.unrouteAll();
  const again = await context.newPage();
  await again.goto(url);
  await new BarePage(again, url).connect("ada");
  const heard = await ben.hears("news", 20);
  gapless(heard);
  expect(numbersOf(heard, "ada")).toEqual([...Array(20).keys()]);
});

it("two tabs of one user send at once, and one is closed: each message once, each tab's in order", async () => {
  const { url } = await Server.start({ serveDir: PAGES });
  const other = await BarePage.open(url);
  const ben = await other.connect("ben");
  await ben.listen("news");
  const first = await BarePage.open(url);
  const second = new BarePage(await first.page.context().newPage(), url);
  await second.page.goto(url);
  const guest = { user: "ada", name: "Ada" };
  const [one, two] = await Promise.all([first.connect("one", { guest }), second.connect("two", { guest })]);
  await Promise.all([one.sendMany("news", 0, 300), two.sendMany("news", 0, 300)]);
  await second.page.close();
  // Who is still there sends what the closed one had left.
  const heard = await until("all are there", async () => {
    const all = await ben.heard("news");
    return all.length >= 300 && numbersOf(all, "one").length === 300 && all;
  });
  gapless(heard);
  expect(numbersOf(heard, "one")).toEqual([...Array(300).keys()]);
  const left = numbersOf(heard, "two");
  expect(left).toEqual([...left].sort((a, b) => a - b));
  const late = new BarePage(await first.page.context().newPage(), url);
  await late.page.goto(url);
  await late.connect("late", { guest });
  const whole = await ben.hears("news", 600);
  gapless(whole);
  expect(numbersOf(whole, "two")).toEqual([...Array(300).keys()]);
});
