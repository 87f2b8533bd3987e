// Two people in two browsers chat through the built demo and the real server.

import { expect, it } from "vitest";
import { problemsOf } from "../harness/browser";
import { Chat } from "../harness/demo";
import { Server } from "../harness/server";

it("two pages chat both ways; each message is one row everywhere, and one's own is stored", async () => {
  const { url } = await Server.start();
  const [ada, ben] = await Promise.all([Chat.enter(url, "Ada"), Chat.enter(url, "Ben")]);
  expect(await ada.connection()).toEqual({ status: "connected", carrier: "websocket" });

  await ada.say("Hello, Ben");
  const mine = await ada.row("Hello, Ben", "stored");
  const his = await ben.row("Hello, Ben", "received");
  expect(his.id).toBe(mine.id);
  expect([mine.mine, his.mine]).toEqual([true, false]);
  await ben.say("Hello, Ada");
  await ada.row("Hello, Ada", "received");
  await ben.row("Hello, Ada", "stored");

  for (const chat of [ada, ben]) {
    await chat.conversation(["Hello, Ben", "Hello, Ada"]);
    expect(problemsOf(chat.page)).toEqual([]);
  }
});

it("one's own row goes from sending to stored, and never back", async () => {
  const { url } = await Server.start();
  const ada = await Chat.enter(url, "Ada");
  const statuses = await ada.page.evaluateHandle(() => {
    const seen: (string | null)[] = [];
    const note = () => {
      const row = document.querySelector('[data-testid="message"]');
      const status = row?.getAttribute("data-status");
      if (status && seen.at(-1) !== status) seen.push(status);
    };
    new MutationObserver(note).observe(document.body, { subtree: true, childList: true, attributes: true });
    return seen;
  });
  await ada.say("On its way");
  await ada.row("On its way", "stored");
  const seen = (await statuses.jsonValue()) as string[];
  expect(["queued,sent,stored", "sent,stored", "queued,stored", "stored"]).toContain(seen.join());
  expect(seen.length).toBeGreaterThan(0);
});

it("who comes later finds the conversation; another room has its own", async () => {
  const { url } = await Server.start();
  const ada = await Chat.enter(url, "Ada");
  await ada.say("one");
  await ada.say("two");
  await ada.conversation(["one", "two"]);
  const ben = await Chat.enter(url, "Ben");
  await ben.conversation(["one", "two"]);
  await ben.page.getByRole("link", { name: /kitchen/ }).click();
  await ben.page.getByRole("heading", { name: /quiet in #kitchen/ }).waitFor();
  await ben.say("coffee?");
  await ben.conversation(["coffee?"]);
  await ada.conversation(["one", "two"]);
});

it("text is text: markup in a message is shown and not run", async () => {
  const { url } = await Server.start();
  const [ada, ben] = await Promise.all([Chat.enter(url, "Ada"), Chat.enter(url, "<b>Ben</b>")]);
  const text = `<img src=x onerror="document.title='run'"> & "quotes" 🦊 \u202e`;
  await ben.say(text);
  await ada.row(text.trim());
  expect(await ada.page.title()).not.toBe("run");
  expect(problemsOf(ada.page)).toEqual([]);
  await ada.sees(["Ada", "<b>Ben</b>"]);
});
