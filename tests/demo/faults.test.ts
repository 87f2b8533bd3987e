// The demo's fault panel: the client recovers from each fault, and the counters show that nothing was lost.

import { expect, it } from "vitest";
import { freshPage, problemsOf } from "../harness/browser";
import { Chat, Demo } from "../harness/demo";
import { figure } from "../harness/figures";
import { FaultProxy } from "../harness/proxy";

async function two(): Promise<[Chat, Chat]> {
  const demo = await Demo.start();
  const pair = await demo.two();
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

it("WebSocket is blocked: the chat continues by polling, and returns to WebSocket afterwards", async () => {
  const [ada, grace] = await two();
  await ada.say("by WebSocket");
  await grace.row("by WebSocket");

  const blocked = Date.now();
  await ada.fault("Block WebSocket", true);
  await ada.connected("polling");
  figure("demo: WebSocket blocked to connected by polling", Date.now() - blocked, "ms");
  await ada.say("by polling");
  await grace.row("by polling", "received");
  await grace.say("I hear you");
  await ada.row("I hear you", "received");

  await ada.fault("Block WebSocket", false);
  await grace.say("while it still polls");
  // The browser's own event makes the client probe at once instead of after half a minute.
  await ada.page.evaluate(() => dispatchEvent(new Event("online")));
  await ada.connected("websocket");
  await ada.say("by WebSocket again");
  await grace.row("by WebSocket again", "received");

  const all = ["by WebSocket", "by polling", "I hear you", "while it still polls", "by WebSocket again"];
  await ada.conversation(all);
  await grace.conversation(all);
  await nothingLost(ada, grace);
});

it("a proxy blocks WebSocket for everybody and later lets it through: the same", async () => {
  const demo = await Demo.start();
  const proxy = await FaultProxy.start(demo.server.port);
  const id = await demo.chat(["ada", "grace"]);
  const [ada, grace] = await Promise.all([Chat.enter(proxy.url, "Ada", id), demo.enter("Grace", id)]);
  for (const chat of [ada, grace]) await chat.openPanel();
  await ada.say("by WebSocket");
  await grace.row("by WebSocket", "received");

  proxy.websocket = "refuse";
  proxy.reset();
  await ada.say("while the cable is cut");
  await ada.connected("polling");
  await grace.row("while the cable is cut", "received");
  await grace.say("I hear you");
  await ada.row("I hear you", "received");

  proxy.websocket = "pass";
  await ada.page.evaluate(() => dispatchEvent(new Event("online")));
  await ada.connected("websocket");
  await ada.say("by WebSocket again");
  const all = ["by WebSocket", "while the cable is cut", "I hear you", "by WebSocket again"];
  await ada.conversation(all);
  await grace.conversation(all);
  await nothingLost(ada, grace);
});

it("offline, messages wait; back online, they are stored in order and those of others arrive", async () => {
  const [ada, grace] = await two();
  await ada.fault("Go offline", true);
  await ada.status("offline");
  await ada.say("first");
  await ada.say("second");
  await ada.row("second", "queued");
  await grace.say("meanwhile");
  await grace.row("meanwhile", "stored");

  const back = Date.now();
  await ada.fault("Go offline", false);
  await ada.connected();
  figure("demo: back online to connected", Date.now() - back, "ms");
  const all = ["meanwhile", "first", "second"];
  await grace.conversation(all);
  await ada.conversation(all);
  await nothingLost(ada, grace);
});

it("the socket is dropped while messages are in flight: each arrives once and in order", async () => {
  const [ada, grace] = await two();
  const all: string[] = [];
  for (let round = 0; round < 5; round++) {
    for (const part of ["a", "b", "c"]) {
      all.push(`${round}${part}`);
      await ada.say(`${round}${part}`);
    }
    await ada.dropSocket();
  }
  await grace.conversation(all);
  await ada.conversation(all);
  await nothingLost(ada, grace);
});

it("WebSocket is blocked from the start: the first connection uses polling", async () => {
  const demo = await Demo.start();
  const id = await demo.chat(["ada", "grace"]);
  const grace = await demo.enter("Grace", id);
  const page = await freshPage();
  await page.goto(`${demo.url}/#/chat/${id}`);
  const chat = new Chat(page, "Ada");
  await chat.fault("Block WebSocket", true);
  await chat.signIn();
  await chat.connected("polling");
  await chat.say("never had a socket");
  await grace.row("never had a socket", "received");
  await grace.sees("ada");
});
