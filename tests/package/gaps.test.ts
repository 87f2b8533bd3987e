// Messages that can no longer be recovered are declared as a gap (promise 2): once, with the reason, and delivery
// continues after it.

import { expect, it } from "vitest";
import { BarePage, expectContiguous, type PageClient } from "../harness/bare";
import { FaultProxy } from "../harness/proxy";
import { PAGES, Server } from "../harness/server";

const gapsOf = async (client: PageClient) => (await client.events()).filter(({ event }) => event === "gap");

/** Offline while `count` messages are stored by another user; then back. */
async function miss(
  server: Server,
  count: number,
): Promise<{ ada: PageClient; ben: PageClient; before: number }> {
  const proxy = await FaultProxy.start(server.port);
  const bare = await BarePage.open(proxy.url);
  const ada = await bare.connect("ada");
  await ada.subscribe("news");
  const other = await BarePage.open(server.url);
  const ben = await other.connect("ben");
  await ben.subscribe("news");
  await ben.sendMany("news", 0, 3);
  await ada.waitForEntries("news", 3);

  // Really offline: the browser reports it, and nothing passes.
  await bare.page.context().setOffline(true);
  proxy.reset();
  await ada.waitForState("offline");
  await ben.sendMany("news", 3, count);
  await ben.waitForEntries("news", 3 + count);
  await bare.page.context().setOffline(false);
  return { ada, ben, before: 3 };
}

it("trimmed: the server no longer has the missed messages", async () => {
  const server = await Server.start({ serveDir: PAGES, args: ["--retention", "20"] });
  const { ada, ben } = await miss(server, 100);
  const gap = await ada.event("gap");
  const { from, to, reason } = gap.value as { from: number; to: number; reason: string };
  expect(reason).toBe("trimmed");
  expect(from).toBe(4);
  expect(to).toBeGreaterThanOrEqual(70);
  await ben.sendMany("news", 1000, 1);
  const received = await ada.waitForEntries("news", 3 + (103 - to) + 1);
  expectContiguous(received.slice(3));
  expect(received[3]?.offset).toBe(to + 1);
  expect(await gapsOf(ada)).toHaveLength(1);
  const after = (await ada.events()).filter(({ event }) => event === "subscribed").at(-1);
  expect(after?.value).toMatchObject({ offset: to, recovered: false });
});

it("too far: more was missed than the server replays", async () => {
  const server = await Server.start({ serveDir: PAGES, args: ["--replay-limit", "20"] });
  const { ada, ben } = await miss(server, 60);
  expect((await ada.event("gap")).value).toEqual({ from: 4, to: 63, reason: "too_far" });
  await ben.sendMany("news", 1000, 1);
  const received = await ada.waitForEntries("news", 4);
  expect(received.map(({ offset }) => offset)).toEqual([1, 2, 3, 64]);
});

it("within what the server keeps: everything arrives, and no gap is declared", async () => {
  const server = await Server.start({ serveDir: PAGES });
  const { ada } = await miss(server, 300);
  expectContiguous(await ada.waitForEntries("news", 303));
  expect(await gapsOf(ada)).toEqual([]);
});

it("epoch: the server was restored without its data", async () => {
  const server = await Server.start({ serveDir: PAGES });
  const bare = await BarePage.open(server.url);
  const ada = await bare.connect("ada");
  await ada.subscribe("news");
  await ada.sendMany("news", 0, 5);
  await ada.waitForEntries("news", 5);
  const old = await ada.position("news");
  await server.kill();
  server.forget();
  await server.start();
  expect((await ada.event("gap")).value).toMatchObject({ from: 6, reason: "epoch" });
  await ada.send("news", "anew");
  const received = await ada.waitForEntries("news", 6);
  expect(received.at(-1)?.offset).toBe(1);
  const now = await ada.position("news");
  expect(now?.epoch).not.toBe(old?.epoch);
  expect(now?.offset).toBe(1);
  expect(await gapsOf(ada)).toHaveLength(1);
});

it("a stored position resumes there, twice in a row", async () => {
  const server = await Server.start({ serveDir: PAGES });
  const bare = await BarePage.open(server.url);
  const writer = await bare.connect("writer");
  await writer.sendMany("news", 0, 10);
  const reader = await bare.connect("reader");
  await reader.subscribe("news", { recent: 10 });
  const received = await reader.waitForEntries("news", 10);
  const position = { epoch: (await reader.position("news"))?.epoch ?? "", offset: received[3]?.offset ?? 0 };
  for (const name of ["first", "second"]) {
    const again = await bare.connect(name);
    expect(await again.subscribe("news", { position })).toMatchObject({
      ok: { offset: 4, head: 10, recovered: true },
    });
    expect((await again.waitForEntries("news", 6)).map(({ offset }) => offset)).toEqual([5, 6, 7, 8, 9, 10]);
  }
});
