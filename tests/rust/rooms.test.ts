// Pages in Rust (client-wasm/examples: one without a framework, one with Leptos) and a page in JavaScript talk in one room: over
// kill -9 of the server, where WebSocket is blocked, and across a reload with unsent messages.

import { cpSync, existsSync } from "node:fs";
import { join, resolve } from "node:path";
import type { Page } from "playwright-core";
import { beforeAll, expect, it, onTestFinished } from "vitest";
import { BarePage, expectContiguous, type PageClient } from "../harness/bare";
import { freshPage } from "../harness/browser";
import { figure } from "../harness/figures";
import { keptMessages } from "../harness/outbox";
import { FaultProxy } from "../harness/proxy";
import { PAGES, Server } from "../harness/server";
import { until } from "../harness/until";

const EXAMPLES = process.env.EVERWIRE_EXAMPLES ?? resolve(import.meta.dirname, "../../target/xtask/examples");
const KINDS = ["plain", "leptos"] as const;
const ROOM = "rust";

/** Longer than the backoff after some kills. */
const LONG_MS = 60_000;

beforeAll(() => {
  if (!existsSync(join(EXAMPLES, "leptos/app.js")))
    throw new Error("There are no examples in Rust. `cargo xtask test --only e2e` builds them.");
  for (const kind of KINDS) cpSync(join(EXAMPLES, kind), join(PAGES, kind), { recursive: true });
});

/** A page in Rust. */
class Chat {
  constructor(
    readonly page: Page,
    readonly address: string,
  ) {}

  static async open(kind: string, user: string, pages: string, url: string): Promise<Chat> {
    const page = await freshPage();
    const address = `${pages}/${kind}/?as=${user}&room=${ROOM}&url=${encodeURIComponent(url)}`;
    const chat = new Chat(page, address);
    const broken: string[] = [];
    page.on("pageerror", (error) => broken.push(String(error)));
    onTestFinished(() => expect(broken, `${kind}: what was thrown`).toEqual([]));
    await page.goto(address);
    return chat;
  }

  /** Writes in the form, as a person would. */
  async send(...texts: string[]): Promise<void> {
    await this.page.waitForSelector("#composer");
    await this.page.evaluate((texts) => {
      const input = document.querySelector<HTMLInputElement>("#text");
      for (const text of texts) {
        if (input) input.value = text;
        document.querySelector<HTMLFormElement>("#composer")?.requestSubmit();
      }
    }, texts);
  }

  /** What is stored, in the order in which it is shown. */
  rows(): Promise<{ offset: number; text: string }[]> {
    return this.page.evaluate(() =>
      [...document.querySelectorAll<HTMLElement>("#messages li[data-offset]")].map((row) => ({
        offset: Number(row.dataset.offset),
        text: row.querySelector("span")?.textContent ?? "",
      })),
    );
  }

  async waitForRows(count: number): Promise<{ offset: number; text: string }[]> {
    await until(`${count} rows in ${this.address}`, async () => (await this.rows()).length >= count, {
      timeoutMs: LONG_MS,
      seen: async () => [await this.state(), (await this.rows()).length],
    });
    return this.rows();
  }

  async state(): Promise<string> {
    return (await this.page.textContent("#state")) ?? "";
  }

  async waitForState(state: string): Promise<void> {
    await until(`${this.address} is ${state}`, async () => (await this.state()) === state, {
      timeoutMs: LONG_MS,
      seen: () => this.state(),
    });
  }

  pending(): Promise<number> {
    return this.page.locator("#messages li.pending").count();
  }
}

/** A page in JavaScript that reads the room. */
async function javascript(pages: Server, url: string, user = "cal"): Promise<PageClient> {
  const bare = await BarePage.open(pages.url);
  const client = await bare.connect(user, { url });
  await client.waitForConnection();
  await client.subscribe(ROOM, { recent: 100 });
  return client;
}

async function servers(): Promise<[pages: Server, chat: Server]> {
  return Promise.all([Server.start({ serveDir: PAGES }), Server.start()]);
}

const numbered = (name: string, count: number) => Array.from({ length: count }, (_, n) => `${name} ${n}`);

it("promise 1: nothing is lost, doubled or out of order though the server is killed", async () => {
  const [pages, chat] = await servers();
  const [plain, leptos] = await Promise.all([
    Chat.open("plain", "ann", pages.url, chat.url),
    Chat.open("leptos", "bea", pages.url, chat.url),
  ]);
  const cal = await javascript(pages, chat.url);
  await Promise.all([plain.waitForState("connected"), leptos.waitForState("connected")]);
  const EACH = 30;
  const PARTS = 3;
  for (let part = 0; part < PARTS; part++) {
    const texts = (name: string) =>
      numbered(name, EACH).slice((part * EACH) / PARTS, ((part + 1) * EACH) / PARTS);
    await plain.send(...texts("ann"));
    await leptos.send(...texts("bea"));
    for (const text of texts("cal")) void cal.send(ROOM, { text });
    // The first time while all of them are on their way.
    await chat.kill();
    await plain.send(`ann while it is down ${part}`);
    await leptos.send(`bea while it is down ${part}`);
    await chat.start();
  }
  const count = 3 * EACH + 2 * PARTS;
  const shown = await Promise.all([plain.waitForRows(count), leptos.waitForRows(count)]);
  const received = await cal.waitForEntries(ROOM, count, LONG_MS);
  expectContiguous(received);
  const expected = received.map(({ offset, data }) => ({ offset, text: (data as { text: string }).text }));
  expect(expected).toHaveLength(count);
  for (const rows of shown) expect(rows).toEqual(expected);
  for (const name of ["ann", "bea", "cal"]) {
    const own = expected
      .map(({ text }) => text)
      .filter((text) => /^\w+ \d+$/.test(text) && text.startsWith(name));
    expect(own).toEqual(numbered(name, EACH));
  }
  expect(await Promise.all([plain.pending(), leptos.pending()])).toEqual([0, 0]);
});

it("promise 11: where WebSocket is blocked they poll, and miss nothing", async () => {
  const [pages, chat] = await servers();
  const proxy = await FaultProxy.start(chat.port);
  proxy.websocket = "refuse";
  const cal = await javascript(pages, chat.url);
  for (const [kind, user] of [
    ["plain", "ann"],
    ["leptos", "bea"],
  ] as const) {
    const page = await Chat.open(kind, user, pages.url, proxy.url);
    await page.waitForState("connected by polling");
    const before = (await page.rows()).length;
    await page.send(...numbered(user, 10));
    for (let n = 0; n < 10; n++) await cal.send(ROOM, { text: `to ${user} ${n}` });
    const rows = await page.waitForRows(before + 20);
    const received = await cal.waitForEntries(ROOM, rows.length);
    expectContiguous(received);
    expect(rows.map(({ text }) => text)).toEqual(received.map(({ data }) => (data as { text: string }).text));
  }
});

it.each(KINDS)(
  "promise 5: a reload of the page with unsent messages loses and doubles none (%s)",
  async (kind) => {
    const [pages, chat] = await servers();
    const page = await Chat.open(kind, "ann", pages.url, chat.url);
    await page.waitForState("connected");
    await chat.kill();
    await page.send(...numbered("ann", 5));
    await until("all five are in the database", async () => (await keptMessages(page.page)) === 5);
    await page.page.goto(page.address);
    await chat.start();
    const expected = numbered("ann", 5);
    expect((await page.waitForRows(5)).map(({ text }) => text)).toEqual(expected);
    await page.send("written after the reload");
    expected.push("written after the reload");
    expect((await page.waitForRows(6)).map(({ text }) => text)).toEqual(expected);
    const cal = await javascript(pages, chat.url);
    expectContiguous(await cal.waitForEntries(ROOM, 6));
    await until("what is stored is no longer kept", async () => (await keptMessages(page.page)) === 0);
  },
);

it("promise 5: what a page in Rust could not send, a page in JavaScript of the same user sends", async () => {
  const [pages, chat] = await servers();
  const page = await Chat.open("plain", "ann", pages.url, chat.url);
  await page.waitForState("connected");
  await chat.kill();
  await page.send(...numbered("ann", 3));
  await until("all three are in the database", async () => (await keptMessages(page.page)) === 3);
  await page.page.goto(pages.url);
  await chat.start();
  const ann = await new BarePage(page.page, pages.url).connect("ann", { url: chat.url });
  await ann.waitForConnection();
  await ann.subscribe(ROOM, { recent: 100 });
  const texts = (await ann.waitForEntries(ROOM, 3)).map(({ data }) => (data as { text: string }).text);
  expect(texts).toEqual(numbered("ann", 3));
});

it("promise 10: a page that was offline is connected again at once", async () => {
  const [pages, chat] = await servers();
  const page = await Chat.open("plain", "ann", pages.url, chat.url);
  await page.waitForState("connected");
  await page.page.context().setOffline(true);
  await page.waitForState("offline");
  await page.send("written offline");
  const since = Date.now();
  await page.page.context().setOffline(false);
  await page.waitForState("connected");
  figure("page in Rust: online to connected", Date.now() - since, "ms", 4000);
  expect(Date.now() - since).toBeLessThanOrEqual(4000);
  expect((await page.waitForRows(1)).map(({ text }) => text)).toEqual(["written offline"]);
});
