// A backup of the running server takes the place of the database while pages are away. The log goes on under the same epoch, and
// other messages take the offsets that a page has seen: it is told of a gap. Who has seen nothing else misses nothing.

import { execFileSync } from "node:child_process";
import { expect, it } from "vitest";
import { BarePage, expectContiguous } from "../harness/bare";
import { FaultProxy } from "../harness/proxy";
import { PAGES, SERVER, Server } from "../harness/server";

const CHANNEL = "private-restored";

/** A page that can lose its network. */
async function page(server: Server, user: string) {
  const proxy = await FaultProxy.start(server.port);
  const bare = await BarePage.open(proxy.url);
  const client = await bare.connect(user);
  await client.subscribe(CHANNEL);
  const leave = async () => {
    await bare.page.context().setOffline(true);
    proxy.reset();
    await client.waitForState("offline");
  };
  return { client, leave, comeBack: () => bare.page.context().setOffline(false) };
}

it("restores a backup: nothing is skipped silently, and who is not affected notices nothing", async () => {
  const server = await Server.start({ serveDir: PAGES });
  const copy = `${server.database}.copy`;
  const ada = await page(server, "ada");
  const bob = await page(server, "bob");
  const first = await (await BarePage.open(server.url)).connect("cy");
  await first.subscribe(CHANNEL);
  await first.sendMany(CHANNEL, 0, 5);
  await ada.client.waitForEntries(CHANNEL, 5);
  await bob.client.waitForEntries(CHANNEL, 5);
  await bob.leave();
  execFileSync(SERVER, ["backup", "--database", server.database, copy]);
  await first.sendMany(CHANNEL, 5, 5);
  await ada.client.waitForEntries(CHANNEL, 10);
  await ada.leave();
  await first.close();
  await server.stop();
  execFileSync(SERVER, ["restore", "--database", server.database, copy]);
  await server.start();

  const second = await (await BarePage.open(server.url)).connect("dan");
  await second.subscribe(CHANNEL);
  await second.sendMany(CHANNEL, 100, 7);
  await second.waitForEntries(CHANNEL, 7);
  await ada.comeBack();
  expect((await ada.client.event("gap")).value).toEqual({ from: 11, to: 12, reason: "epoch" });
  await bob.comeBack();
  expectContiguous(await bob.client.waitForEntries(CHANNEL, 12));
  expect((await bob.client.events()).filter(({ event }) => event === "gap")).toEqual([]);
  expect(await second.send(CHANNEL, "after")).toMatchObject({ ok: { offset: 13 } });
  const received = await ada.client.waitForEntries(CHANNEL, 11);
  expect(received.map(({ offset }) => offset)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 13]);
});
