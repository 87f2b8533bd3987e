// The demo's own fault panel: what it breaks, the client repairs, and the counts say that nothing was lost.

import { expect, it } from "vitest";
import { freshPage, problemsOf } from "../harness/browser";
import { Chat } from "../harness/demo";
import { figure } from "../harness/figures";
import { FaultProxy } from "../harness/proxy";
import { Server } from "../harness/server";

async function two(): Promise<[Chat, Chat]> {
  const { url } = await Server.start();
  const pair = await Promise.all([Chat.enter(url, "Ada"), Chat.enter(url, "Ben")]);
  for (const chat of pair) await chat.openPanel();
  return pair;
}

async function nothingLost(...chats: Chat[]): Promise<void> {
  for (const chat of chats) {
    expect([await chat.count("lost"), await chat.count("duplicated"), await chat.count("missing")]).toEqual([
      0, 0, 0,
    ]);
    expect(await chat.count("acked")).toBe(await chat.count("sent"));
    expect(problemsOf(chat.page, { broken: true })).toEqual([]);
  }
}

it("WebSocket is blocked: the chat goes on by polling; unblocked, it goes back", async () => {
  const [ada, ben] = await two();
  await ada.say("by WebSocket");
  await ben.row("by WebSocket");

  const blocked = Date.now();
  await ada.fault("Block WebSocket", true);
  await ada.connected("polling");
  figure("demo: WebSocket blocked to connected by polling", Date.now() - blocked, "ms");
  await ada.say("by polling");
  await ben.row("by polling", "received");
  await ben.say("I hear you");
  await ada.row("I hear you", "received");

  await ada.fault("Block WebSocket", false);
  await ben.say("while it still polls");
  // The network's own event makes the client look again at once, instead of after half a minute.
  await ada.page.evaluate(() => dispatchEvent(new Event("online")));
  await ada.connected("websocket");
  await ada.say("by WebSocket again");
  await ben.row("by WebSocket again", "received");

  const all = ["by WebSocket", "by polling", "I hear you", "while it still polls", "by WebSocket again"];
  await ada.conversation(all);
  await ben.conversation(all);
  await nothingLost(ada, ben);
});

it("a proxy blocks WebSocket for everybody, and later lets it through: the same", async () => {
  const server = await Server.start();
  const proxy = await FaultProxy.start(server.port);
  const [ada, ben] = await Promise.all([Chat.enter(proxy.url, "Ada"), Chat.enter(server.url, "Ben")]);
  for (const chat of [ada, ben]) await chat.openPanel();
  await ada.say("by WebSocket");
  await ben.row("by WebSocket", "received");

  proxy.websocket = "refuse";
  proxy.reset();
  await ada.say("while the cable is cut");
  await ada.connected("polling");
  await ben.row("while the cable is cut", "received");
  await ben.say("I hear you");
  await ada.row("I hear you", "received");

  proxy.websocket = "pass";
  await ada.page.evaluate(() => dispatchEvent(new Event("online")));
  await ada.connected("websocket");
  await ada.say("by WebSocket again");
  const all = ["by WebSocket", "while the cable is cut", "I hear you", "by WebSocket again"];
  await ada.conversation(all);
  await ben.conversation(all);
  await nothingLost(ada, ben);
});

it("offline, messages wait; back, they are stored in order and others' are there", async () => {
  const [ada, ben] = await two();
  await ada.fault("Go offline", true);
  await ada.status("offline");
  await ada.say("first");
  await ada.say("second");
  await ada.row("second", "queued");
  await ben.say("meanwhile");
  await ben.row("meanwhile", "stored");

  const back = Date.now();
  await ada.fault("Go offline", false);
  await ada.connected();
  figure("demo: back online to connected", Date.now() - back, "ms");
  const all = ["meanwhile", "first", "second"];
  await ben.conversation(all);
  await ada.conversation(all);
  await nothingLost(ada, ben);
});

it("the socket is dropped while messages are on their way: each arrives once and in order", async () => {
  const [ada, ben] = await two();
  const all: string[] = [];
  for (let round = 0; round < 5; round++) {
    for (const part of ["a", "b", "c"]) {
      all.push(`${round}${part}`);
      await ada.say(`${round}${part}`);
    }
    await ada.dropSocket();
  }
  await ben.conversation(all);
  await ada.conversation(all);
  await nothingLost(ada, ben);
});

it("WebSocket is blocked from the start: the first connection is made by polling", async () => {
  const { url } = await Server.start();
  const ben = await Chat.enter(url, "Ben");
  const page = await freshPage();
  await page.goto(url);
  const chat = new Chat(page, "Ada");
  await chat.fault("Block WebSocket", true);
  await chat.giveName();
  await chat.connected("polling");
  await chat.say("never had a socket");
  await ben.row("never had a socket", "received");
  await ben.sees(["Ada", "Ben"]);
});
