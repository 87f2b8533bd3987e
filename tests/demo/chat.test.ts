// Two people in two browsers chat through the built demo and the real server.

import { expect, it } from "vitest";
import { problemsOf } from "../harness/browser";
import { Demo } from "../harness/demo";

it("two pages chat both ways; each message is one row on both, and own messages are stored", async () => {
  const demo = await Demo.start();
  const [ada, grace] = await demo.openPair();
  expect(await ada.connection()).toEqual({ status: "connected", transport: "websocket" });

  await ada.send("Hello, Grace");
  const mine = await ada.waitForRow("Hello, Grace", "stored");
  const hers = await grace.waitForRow("Hello, Grace", "received");
  expect(hers.id).toBe(mine.id);
  expect([mine.mine, hers.mine]).toEqual([true, false]);
  await grace.send("Hello, Ada");
  await ada.waitForRow("Hello, Ada", "received");
  await grace.waitForRow("Hello, Ada", "stored");

  for (const chat of [ada, grace]) {
    await chat.waitForConversation(["Hello, Grace", "Hello, Ada"]);
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
  await ada.send("On its way");
  await ada.waitForRow("On its way", "stored");
  const seen = (await statuses.jsonValue()) as string[];
  expect(["queued,sent,stored", "sent,stored", "queued,stored", "stored"]).toContain(seen.join());
  expect(seen.length).toBeGreaterThan(0);
});

it("a user who comes later sees the conversation; another chat has its own", async () => {
  const demo = await Demo.start();
  const chat = await demo.chat(["ada", "grace"]);
  await demo.chat(["grace", "ada", "alan"], "Kitchen");
  const ada = await demo.enter("Ada", chat);
  await ada.send("one");
  await ada.send("two");
  await ada.waitForConversation(["one", "two"]);
  const grace = await demo.enter("Grace", chat);
  await grace.waitForConversation(["one", "two"]);
  await grace.open("Kitchen");
  await grace.page.getByRole("heading", { name: "No messages yet" }).waitFor();
  await grace.send("coffee?");
  await grace.waitForConversation(["coffee?"]);
  await ada.waitForConversation(["one", "two"]);
});

it("markup in a message is shown as text", async () => {
  const demo = await Demo.start();
  const chat = await demo.chat(["ada", "grace", "bold"], "<i>Markup</i>");
  const [ada, grace] = await Promise.all([demo.enter("Ada", chat), demo.enter("Grace", chat)]);
  const text = `<img src=x onerror="document.title='run'"> & "quotes" 🦊 \u202e`;
  await grace.send(text);
  await ada.waitForRow(text.trim());
  await ada.page.getByRole("heading", { level: 1, name: "<i>Markup</i>" }).waitFor();
  expect(await ada.page.title()).toBe("<i>Markup</i> · Everwire");
  expect(problemsOf(ada.page)).toEqual([]);
});

it("an unsent message survives a reload, and arrives once", async () => {
  const demo = await Demo.start();
  const [ada, grace] = await demo.openPair();
  await ada.send("before");
  await grace.waitForRow("before");
  await ada.fault("Go offline", true);
  await ada.waitForStatus("offline");
  await ada.send("written offline");
  await ada.waitForRow("written offline", "queued");
  // Faults belong to the page: the next page has none.
  await ada.page.reload();
  await ada.waitForConnection();
  await grace.waitForRow("written offline", "received");
  await ada.waitForConversation(["before", "written offline"]);
  await grace.waitForConversation(["before", "written offline"]);
});
