// Navigation: into the back/forward cache and out of it, and reloads while messages are in flight.

import { expect, it } from "vitest";
import { BarePage, expectContiguous, numbersOf } from "../harness/bare";
import { figure } from "../harness/figures";
import { PAGES, Server } from "../harness/server";
import { until } from "../harness/until";

it("back from another page: the page is restored from the back/forward cache, reconnects and misses nothing", async () => {
  const { url } = await Server.start({ serveDir: PAGES });
  const bare = await BarePage.open(url);
  const other = await BarePage.open(url);
  const ben = await other.connect("ben");
  const ada = await bare.connect("ada");
  await ada.subscribe("presence-room.1");
  await ada.waitForConnection("websocket");
  await bare.page.evaluate(() => {
    addEventListener("pageshow", ({ persisted }) =>
      Reflect.set(window, "cameBack", { persisted, at: Date.now() }),
    );
  });
  await ben.subscribe("presence-room.1");

  await bare.page.goto(`${url}/elsewhere.html`);
  for (let n = 0; n < 5; n++) await ben.send("presence-room.1", n);
  await bare.page.goBack({ waitUntil: "commit" });
  const cameBack = await until("the page is back", () =>
    bare.page.evaluate(
      () => Reflect.get(window, "cameBack") as { persisted: boolean; at: number } | undefined,
    ),
  );
  // Not a new page: it was cached although it had a connection.
  expect(cameBack.persisted).toBe(true);
  const { at } = await ada.waitForConnection("websocket", cameBack.at);
  figure("back from the cache to connected", at - cameBack.at, "ms");
  const received = await ada.waitForEntries("presence-room.1", 5);
  expectContiguous(received);
  expect(received.map(({ data }) => data)).toEqual([0, 1, 2, 3, 4]);
  expect((await ben.events()).filter(({ event }) => event === "left")).toEqual([]);
});

/** Sends without waiting, and reports each ack to the test. */
async function sendFrom(bare: BarePage, from: number, count: number): Promise<void> {
  await bare.page.evaluate(
    ([from, count]) => {
      const channel = window.bare.clients.get("ada")?.client.channel("news");
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

it("reloaded repeatedly while sending: everything arrives once and in order", async () => {
  const ROUNDS = 4;
  const EACH = 200;
  const { url } = await Server.start({ serveDir: PAGES });
  const bare = await BarePage.open(url);
  const other = await BarePage.open(url);
  const ben = await other.connect("ben");
  await ben.subscribe("news");
  const acked = new Map<string, number>();
  await bare.page.exposeFunction("acked", (id: string, offset: number) => acked.set(id, offset));
  for (let round = 0; round < ROUNDS; round++) {
    const ada = await bare.connect("ada");
    await ada.waitForConnection();
    const before = acked.size;
    await sendFrom(bare, round * EACH, EACH);
    await until("some are acked and others are not", () => acked.size > before);
    await bare.page.reload();
  }
  await bare.connect("ada");
  const received = await ben.waitForEntries("news", ROUNDS * EACH);
  expectContiguous(received);
  expect(numbersOf(received, "ada")).toEqual([...Array(ROUNDS * EACH).keys()]);
  for (const [id, offset] of acked) expect(received[offset - 1]?.id).toBe(id);
});
