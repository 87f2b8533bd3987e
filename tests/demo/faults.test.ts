// The demo's fault panel: the client recovers from each fault, and the counters show that nothing was lost.

import { expect, it } from "vitest";
import { freshPage, problemsOf } from "../harness/browser";
import { ChatPage, Demo } from "../harness/demo";
import { figure } from "../harness/figures";
import { FaultProxy } from "../harness/proxy";

async function two(): Promise<[ChatPage, ChatPage]> {
  const demo = await Demo.start();
  const pair = await demo.openPair();
  for (const chat of pair) await chat.openPanel();
  return pair;
}

async function nothingLost(...chats: ChatPage[]): Promise<void> {
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
  await ada.send("by WebSocket");
  await grace.waitForRow("by WebSocket");

  const blocked = Date.now();
  await ada.fault("Block WebSocket", true);
  await ada.waitForConnection("polling");
  figure("demo: WebSocket blocked to connected by polling", Date.now() - blocked, "ms");
  await ada.send("by polling");
  await grace.waitForRow("by polling", "received");
  await grace.send("I hear you");
  await ada.waitForRow("I hear you", "received");

  await ada.fault("Block WebSocket", false);
  await grace.send("while it still polls");
  // The browser's own event makes the client probe at once instead of after half a minute.
  await ada.page.evaluate(() => dispatchEvent(new Event("online")));
  await ada.waitForConnection("websocket");
  await ada.send("by WebSocket again");
  await grace.waitForRow("by WebSocket again", "received");

  const all = ["by WebSocket", "by polling", "I hear you", "while it still polls", "by WebSocket again"];
  await ada.waitForConversation(all);
  await grace.waitForConversation(all);
  await nothingLost(ada, grace);
});

it("a proxy blocks WebSocket for everybody and later lets it through: the same", async () => {
  const demo = await Demo.start();
  const proxy = await FaultProxy.start(demo.server.port);
  const id = await demo.chat(["ada", "grace"]);
  const [ada, grace] = await Promise.all([ChatPage.enter(proxy.url, "Ada", id), demo.enter("Grace", id)]);
  for (const chat of [ada, grace]) await chat.openPanel();
  await ada.send("by WebSocket");
  await grace.waitForRow("by WebSocket", "received");

  proxy.websocket = "refuse";
  proxy.reset();
  await ada.send("while the cable is cut");
  await ada.waitForConnection("polling");
  await grace.waitForRow("while the cable is cut", "received");
  await grace.send("I hear you");
  await ada.waitForRow("I hear you", "received");

  proxy.websocket = "pass";
  await ada.page.evaluate(() => dispatchEvent(new Event("online")));
  await ada.waitForConnection("websocket");
  await ada.send("by WebSocket again");
  const all = ["by WebSocket", "while the cable is cut", "I hear you", "by WebSocket again"];
  await ada.waitForConversation(all);
  await grace.waitForConversation(all);
  await nothingLost(ada, grace);
});

it("offline, messages wait; back online, they are stored in order and those of others arrive", async () => {
  const [ada, grace] = await two();
  await ada.fault("Go offline", true);
  await ada.waitForStatus("offline");
  await ada.send("first");
  await ada.send("second");
  await ada.waitForRow("second", "queued");
  await grace.send("meanwhile");
  await grace.waitForRow("meanwhile", "stored");

  const back = Date.now();
  await ada.fault("Go offline", false);
  await ada.waitForConnection();
  figure("demo: back online to connected", Date.now() - back, "ms");
  const all = ["meanwhile", "first", "second"];
  await grace.waitForConversation(all);
  await ada.waitForConversation(all);
  await nothingLost(ada, grace);
});

it("the socket is dropped while messages are in flight: each arrives once and in order", async () => {
  const [ada, grace] = await two();
  const all: string[] = [];
  for (let round = 0; round < 5; round++) {
    for (const part of ["a", "b", "c"]) {
      all.push(`${round}${part}`);
      await ada.send(`${round}${part}`);
    }
    await ada.dropSocket();
  }
  await grace.waitForConversation(all);
  await ada.waitForConversation(all);
  await nothingLost(ada, grace);
});

it("WebSocket is blocked from the start: the first connection uses polling", async () => {
  const demo = await Demo.start();
  const id = await demo.chat(["ada", "grace"]);
  const grace = await demo.enter("Grace", id);
  const page = await freshPage();
  await page.goto(`${demo.url}/#/chat/${id}`);
  const chat = new ChatPage(page, "Ada");
  await chat.fault("Block WebSocket", true);
  await chat.signIn();
  await chat.waitForConnection("polling");
  await chat.send("never had a socket");
  await grace.waitForRow("never had a socket", "received");
  await grace.waitForPresent("ada");
});
