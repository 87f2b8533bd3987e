// Unsent messages survive the page (promise 5): reloads, closed tabs, two tabs at once, another user, and denied
// storage.

import type { Page } from "playwright-core";
import { expect, it } from "vitest";
import { BarePage, numbersOf, PageClient } from "../harness/bare";
import { freshContext, freshPage } from "../harness/browser";
import { keptMessages } from "../harness/outbox";
import { PAGES, Server } from "../harness/server";
import { until } from "../harness/until";

const CHANNEL = "private-orders";

/** One server for the pages, which stays, and one to chat with, which is killed. */
async function place(): Promise<{ pages: Server; chat: Server }> {
  const [pages, chat] = await Promise.all([Server.start({ serveDir: PAGES }), Server.start()]);
  return { pages, chat };
}

async function open(
  page: Page,
  { pages, chat }: { pages: Server; chat: Server },
  user = "ann",
): Promise<PageClient> {
  await page.goto(pages.url);
  const bare = new BarePage(page, pages.url);
  return bare.connect(user, { url: chat.url });
}

/** Ann has written five messages that never reached her server; the server is down. */
async function unsent(page: Page, where: { pages: Server; chat: Server }): Promise<void> {
  const ann = await open(page, where);
  await ann.waitForConnection();
  await where.chat.kill();
  await ann.sendMany(CHANNEL, 0, 5);
  await until("all five are in the database", async () => (await keptMessages(page)) === 5);
}

/** Bob reads everything from the beginning. */
async function bob(where: { pages: Server; chat: Server }): Promise<PageClient> {
  const client = await open(await freshPage(), where, "bob");
  await client.waitForConnection();
  await client.subscribe(CHANNEL, { recent: 100 });
  return client;
}

it("a reload while sending loses and duplicates nothing", async () => {
  const where = await place();
  const page = await freshPage();
  await unsent(page, where);
  const ann = await open(page, where);
  await where.chat.start();
  await ann.waitForConnection();
  const reader = await bob(where);
  expect(numbersOf(await reader.waitForEntries(CHANNEL, 5), "ann")).toEqual([0, 1, 2, 3, 4]);
  await until("what is stored is no longer kept", async () => (await keptMessages(page)) === 0);
  await ann.sendMany(CHANNEL, 5, 1);
  expect(numbersOf(await reader.waitForEntries(CHANNEL, 6), "ann")).toEqual([0, 1, 2, 3, 4, 5]);
});

it("a tab that is closed with unsent messages sends them when it is opened again", async () => {
  const where = await place();
  const context = await freshContext();
  const first = await context.newPage();
  await unsent(first, where);
  await first.close();
  await where.chat.start();
  const ann = await open(await context.newPage(), where);
  await ann.waitForConnection();
  const reader = await bob(where);
  expect(numbersOf(await reader.waitForEntries(CHANNEL, 5), "ann")).toEqual([0, 1, 2, 3, 4]);
});

it("two tabs of one user do not conflict: each message is stored once", async () => {
  const where = await place();
  const context = await freshContext();
  const first = await context.newPage();
  await unsent(first, where);
  await where.chat.start();
  // The first tab still has them and is about to send them; the second finds them too.
  const second = await context.newPage();
  const again = await open(second, where);
  await again.waitForConnection();
  await new PageClient(first, "ann").waitForConnection("", Date.now() - 60_000);
  const reader = await bob(where);
  await until("both tabs are done", async () => (await keptMessages(second)) === 0);
  await again.sendMany(CHANNEL, 5, 1);
  expect(numbersOf(await reader.waitForEntries(CHANNEL, 6), "ann")).toEqual([0, 1, 2, 3, 4, 5]);
  expect(await reader.receivedCount(CHANNEL)).toBe(6);
});

it("another user does not send them, and their own user does so later", async () => {
  const where = await place();
  const page = await freshPage();
  await unsent(page, where);
  // Ann's page is closed before the server is back, or it would still send them.
  await page.goto("about:blank");
  await where.chat.start();
  const eve = await open(page, where, "eve");
  await eve.waitForConnection();
  await eve.subscribe(CHANNEL, { recent: 100 });
  await eve.sendMany(CHANNEL, 100, 1);
  expect(numbersOf(await eve.waitForEntries(CHANNEL, 1), "eve")).toEqual([100]);
  expect(await keptMessages(page)).toBe(5);
  const ann = await open(page, where, "ann");
  await ann.subscribe(CHANNEL, { recent: 100 });
  const all = await ann.waitForEntries(CHANNEL, 6);
  expect(numbersOf(all, "ann")).toEqual([0, 1, 2, 3, 4]);
  expect(all.slice(1).map(({ user }) => user)).toEqual(Array(5).fill("ann"));
});

it("without storage, denied or disabled, everything else works", async () => {
  const where = await place();
  const denied = await freshPage();
  await denied.addInitScript(() => {
    for (const name of ["indexedDB", "localStorage", "sessionStorage"]) {
      Object.defineProperty(window, name, {
        get() {
          throw new DOMException("denied", "SecurityError");
        },
      });
    }
  });
  const ann = await open(denied, where);
  await ann.subscribe(CHANNEL);
  await ann.sendMany(CHANNEL, 0, 2);
  expect(numbersOf(await ann.waitForEntries(CHANNEL, 2), "ann")).toEqual([0, 1]);

  const page = await freshPage();
  await page.goto(where.pages.url);
  const carl = await new BarePage(page, where.pages.url).connect("carl", {
    url: where.chat.url,
    persist: false,
  });
  await carl.waitForConnection();
  await where.chat.kill();
  await carl.sendMany(CHANNEL, 0, 2);
  expect(await page.evaluate(async () => (await indexedDB.databases()).length)).toBe(0);
});
