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

it("reloaded in mid-send, again and again: what was acked is there once, and nothing is out of order", async () => {
  const { url } = await Server.start({ serveDir: PAGES });
  const bare = await BarePage.open(url);
  const other = await BarePage.open(url);
  const ben = await other.connect("ben");
  await ben.listen("news");
  const acked = new Map<string, number>();
  await bare.page.exposeFunction("acked", (id: string, offset: number) => acked.set(id, offset));
  for (let round = 0; round < 4; round++) {
    const ada = await bare.connect("ada");
    await ada.connected();
    const before = acked.size;
    await bare.page.evaluate((round) => {
      const channel = window.bare.seats.get("ada")?.client.channel("news");
      const tell = Reflect.get(window, "acked") as (id: string, offset: number) => void;
      for (let n = 0; n < 200; n++) {
        channel?.send({ by: "ada", n: round * 1000 + n }).then(
          ({ id, offset }) => tell(id, offset),
          () => undefined,
        );
      }
    }, round);
    await until("some are acked and others are not", () => acked.size > before);
    await bare.page.reload();
  }
  const ada = await bare.connect("ada");
  await ada.send("news", { by: "ada", n: 9999 });
  const heard = await until("the last one is heard", async () => {
    const all = await ben.heard("news");
    return numbersOf(all, "ada").includes(9999) && all;
  });
  gapless(heard);
  for (const [id, offset] of acked) expect(heard[offset - 1]?.id).toBe(id);
  const numbers = numbersOf(heard, "ada");
  expect(numbers).toEqual([...numbers].sort((a, b) => a - b));
  expect(new Set(numbers).size).toBe(numbers.length);
});
