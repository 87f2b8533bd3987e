// Two people in two browsers chat through the built demo and the real server.

import { expect, it } from "vitest";
import { problemsOf } from "../harness/browser";
import { Demo } from "../harness/demo";

it("two pages chat both ways; each message is one row on both, and own messages are stored", async () => {
  const demo = await Demo.start();
  const [ada, grace] = await demo.two();
  expect(await ada.connection()).toEqual({ status: "connected", transport: "websocket" });

  await ada.say("Hello, Grace");
  const mine = await ada.row("Hello, Grace", "stored");
  const hers = await grace.row("Hello, Grace", "received");
  expect(hers.id).toBe(mine.id);
  expect([mine.mine, hers.mine]).toEqual([true, false]);
  await grace.say("Hello, Ada");
  await ada.row("Hello, Ada", "received");
  await grace.row("Hello, Ada", "stored");

  for (const chat of [ada, grace]) {
    await chat.conversation(["Hello, Grace", "Hello, Ada"]);
    expect(problemsOf(chat.page)).toEqual([]);
  }
});

it("an own message goes from sending to stored, and never back", async () => {
  const demo = await Demo.start();
  const ada = await demo.enter("Ada", await demo.chat(["ada", "grace"]));
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

it("a user who comes later sees the conversation; another chat has its own", async () => {
  const demo = await Demo.start();
  const chat = await demo.chat(["ada", "grace"]);
  await demo.chat(["grace", "ada", "alan"], "Kitchen");
  const ada = await demo.enter("Ada", chat);
  await ada.say("one");
  await ada.say("two");
  await ada.conversation(["one", "two"]);
  const grace = await demo.enter("Grace", chat);
  await grace.conversation(["one", "two"]);
  await grace.open("Kitchen");
  await grace.page.getByRole("heading", { name: "No messages yet" }).waitFor();
  await grace.say("coffee?");
  await grace.conversation(["coffee?"]);
  await ada.conversation(["one", "two"]);
});

it("markup in a message is shown as text", async () => {
  const demo = await Demo.start();
  const chat = await demo.chat(["ada", "grace", "bold"], "<i>Markup</i>");
  const [ada, grace] = await Promise.all([demo.enter("Ada", chat), demo.enter("Grace", chat)]);
  const text = `<img src=x onerror="document.title='run'"> & "quotes" 🦊 \u202e`;
  await grace.say(text);
  await ada.row(text.trim());
  await ada.page.getByRole("heading", { level: 1, name: "<i>Markup</i>" }).waitFor();
  expect(await ada.page.title()).toBe("<i>Markup</i> · Everwire");
  expect(problemsOf(ada.page)).toEqual([]);
});

it("an unsent message survives a reload, and arrives once", async () => {
  const demo = await Demo.start();
  const [ada, grace] = await demo.two();
  await ada.say("before");
  await grace.row("before");
  await ada.fault("Go offline", true);
  await ada.status("offline");
  await ada.say("written offline");
  await ada.row("written offline", "queued");
  // Faults belong to the page: the next page has none.
  await ada.page.reload();
  await ada.connected();
  await grace.row("written offline", "received");
  await ada.conversation(["before", "written offline"]);
  await grace.conversation(["before", "written offline"]);
});
