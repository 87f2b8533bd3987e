// The chat list, and the members of chats.

import { expect, it } from "vitest";
import { problemsOf } from "../harness/browser";
import { type ChatPage, Demo } from "../harness/demo";
import { until } from "../harness/until";

const outside = (chat: ChatPage) => chat.page.getByTestId("not-a-member").waitFor();
const details = (chat: ChatPage) => chat.page.getByRole("button", { name: "About this chat" }).click();

it("the list shows the last message and the unread count, latest chat first", async () => {
  const demo = await Demo.start();
  const [grace, linus] = [await demo.chat(["ada", "grace"]), await demo.chat(["ada", "linus"])];
  const ada = await demo.enter("Ada");
  await ada.waitForListed("Grace Hopper", { preview: "No messages yet", unread: 0 });
  await demo.api.send(linus, "linus", "vitamins");
  await ada.waitForListed("Linus Pauling", { preview: "vitamins", unread: 1 });
  await demo.api.send(grace, "grace", "bugs");
  await demo.api.send(grace, "grace", "moths");
  await ada.waitForListed("Grace Hopper", { preview: "moths", unread: 2 });
  expect((await ada.chats()).map(({ title }) => title)).toEqual(["Grace Hopper", "Linus Pauling"]);
  await until("the title counts them", async () => (await ada.page.title()) === "(3) Chats · Everwire", {
    seen: () => ada.page.title(),
  });

  await ada.open("Linus Pauling");
  await ada.waitForListed("Linus Pauling", { unread: 0 });
  await ada.waitForListed("Grace Hopper", { unread: 2 });
  await ada.send("which ones?");
  await ada.waitForListed("Linus Pauling", { preview: "You: which ones?" });
  await until("it is first now", async () => (await ada.chats())[0]?.title === "Linus Pauling");

  // Another device shows the same.
  const tab = await demo.enter("Ada");
  await tab.waitForListed("Linus Pauling", { preview: "You: which ones?", unread: 0 });
  await tab.waitForListed("Grace Hopper", { unread: 2 });
  await ada.open("Grace Hopper");
  await tab.waitForListed("Grace Hopper", { unread: 0 });
  expect(problemsOf(ada.page)).toEqual([]);
});

it("a direct chat is created by one user, and both get the same one", async () => {
  const demo = await Demo.start();
  const [ada, grace] = await Promise.all([demo.enter("Ada"), demo.enter("Grace")]);
  for (const [from, to] of [
    [ada, "Grace Hopper"],
    [grace, "Ada Lovelace"],
  ] as const) {
    await from.page.getByRole("button", { name: "New chat", exact: true }).click();
    await from.page.getByRole("checkbox", { name: new RegExp(to) }).check();
    await from.page.getByRole("button", { name: `Write to ${to.split(" ")[0]}` }).click();
    await from.field.waitFor();
  }
  expect(new URL(ada.page.url()).hash).toBe(new URL(grace.page.url()).hash);
  await ada.send("found you");
  await grace.waitForRow("found you", "received");
});

it("a group is created, joined, declined and left", async () => {
  const demo = await Demo.start();
  const [ada, grace, linus] = await Promise.all([
    demo.enter("Ada"),
    demo.enter("Grace"),
    demo.enter("Linus"),
  ]);
  await ada.page.getByRole("button", { name: "New chat", exact: true }).click();
  for (const name of [/Grace/, /Linus/]) await ada.page.getByRole("checkbox", { name }).check();
  await ada.page.getByLabel(/^Title/).fill("Engine");
  await ada.page.getByRole("button", { name: "Create group" }).click();
  await ada.field.waitFor();
  await ada.waitForChange("You invited Grace Hopper");
  await ada.send("before anybody came");

  // An invited user sees the chat, but none of its messages.
  await grace.page.getByRole("button", { name: "Join Engine" }).waitFor();
  expect(await grace.chats()).toEqual([]);
  await grace.page.getByRole("button", { name: "Join Engine" }).click();
  await grace.waitForRow("before anybody came", "received");
  await ada.waitForChange("Grace Hopper joined");
  await grace.send("I am in");
  await ada.waitForRow("I am in");

  await linus.page.getByRole("button", { name: "Decline Engine" }).click();
  await until("it is gone", async () => (await linus.page.getByTestId("invitation").count()) === 0);
  await ada.waitForChange("Linus Pauling left");

  await details(grace);
  await grace.page.getByRole("button", { name: "Leave chat" }).click();
  await grace.page.getByRole("button", { name: "Press again to leave" }).click();
  await until("it is not listed", async () => (await grace.chats()).length === 0);
  await ada.waitForChange("Grace Hopper left");
});

it("an owner renames, removes members and changes roles, and everybody sees it at once", async () => {
  const demo = await Demo.start();
  const chat = await demo.chat(["ada", "grace", "linus"], "Before");
  const [ada, grace, linus] = await Promise.all(
    ["Ada", "Grace", "Linus"].map((name) => demo.enter(name, chat)),
  );
  if (!ada || !grace || !linus) throw new Error("three people came");
  await details(ada);
  await ada.page.getByLabel("Title").fill("After");
  await ada.page.getByRole("button", { name: "Rename" }).click();
  for (const one of [ada, grace, linus]) await one.waitForListed("After");
  await grace.waitForChange("Ada Lovelace renamed the chat to “After”");

  await ada.page.getByLabel("Role of Grace Hopper").selectOption("Read-only");
  await grace.page.getByText("You can read this chat, but not write to it.").waitFor();
  expect(await grace.field.count()).toBe(0);

  await ada.page.getByRole("button", { name: "Remove Linus Pauling" }).click();
  await outside(linus);
  await ada.page.keyboard.press("Escape");
  await ada.send("without Linus");
  await grace.waitForRow("without Linus");
  await linus.page.getByRole("heading", { name: "You are not a member of this chat" }).waitFor();
  expect(await linus.chats()).toEqual([]);
  expect(await linus.page.getByText("without Linus").count()).toBe(0);

  // Removed members may be invited again.
  await details(ada);
  await ada.page.getByRole("button", { name: "Invite people" }).click();
  await ada.page.getByRole("checkbox", { name: /Linus/ }).check();
  await ada.page.getByRole("button", { name: "Invite", exact: true }).click();
  await linus.page.getByRole("main").getByRole("button", { name: "Join" }).click();
  await linus.waitForRow("without Linus");
});

it("a new user finds people to write to, and a public chat to join", async () => {
  const demo = await Demo.start();
  const { default: given } = await import("../../demo-web/seed/given.json", { with: { type: "json" } });
  await demo.api.createChat({ ...given.openChat, kind: "group", open: true, users: { alan: "owner" } });
  const noor = await demo.enter("Noor");
  await noor.page.getByText("You have no chats yet.").waitFor();
  await noor.page.getByRole("button", { name: `Join the ${given.openChat.title}` }).click();
  await noor.send("Is this the tea room?");
  await noor.waitForRow("Is this the tea room?", "stored");
  const alan = await demo.enter("Alan", given.openChat.id);
  await alan.waitForRow("Is this the tea room?", "received");
  await alan.waitForChange("Noor joined");
});

it("a user who is not a member of a chat is told so, and sees no messages", async () => {
  const demo = await Demo.start();
  const chat = await demo.chat(["ada", "grace"]);
  await demo.api.send(chat, "ada", "a secret");
  const linus = await demo.enter("Linus");
  await linus.page.goto(`${demo.url}/#/chat/${chat}`);
  await linus.page.getByRole("heading", { name: "You are not a member of this chat" }).waitFor();
  await linus.page.getByTestId("not-a-member").getByRole("button", { name: "Join" }).click();
  await linus.page.getByRole("main").getByRole("alert").waitFor();
  expect(await linus.page.getByText("a secret").count()).toBe(0);
});

it("switching chats keeps the draft and the scroll position, and ends presence and typing", async () => {
  const demo = await Demo.start();
  const chat = await demo.chat(["ada", "grace"]);
  await demo.chat(["ada", "linus"]);
  for (let n = 0; n < 45; n++) await demo.api.send(chat, "grace", `line ${n}`);
  const [ada, grace] = await Promise.all([demo.enter("Ada", chat), demo.enter("Grace", chat)]);
  await ada.waitForRow("line 44");
  await grace.waitForPresent("ada");
  const log = ada.page.getByRole("log");
  await log.evaluate((element) => element.scrollTo(0, 700));
  await until("she reads further up", async () => !(await ada.inView("line 44")));
  const seen = () =>
    log.evaluate((element) => {
      const { top } = element.getBoundingClientRect();
      const all = [...element.querySelectorAll('[data-testid="message"]')];
      const first = all.find((row) => row.getBoundingClientRect().top >= top);
      return first && `${first.textContent} at ${Math.round(first.getBoundingClientRect().top - top)}`;
    });
  await ada.field.pressSequentially("half a sent");
  await grace.waitForTyping("ada");
  const before = await seen();

  await ada.open("Linus Pauling");
  expect(await ada.field.inputValue()).toBe("");
  await grace.waitForTyping();
  await grace.waitForPresent();
  // Messages that arrive meanwhile are there without being loaded.
  await grace.send("are you there?");
  await ada.waitForListed("Grace Hopper", { unread: 1, preview: "are you there?" });

  await ada.open("Grace Hopper");
  await grace.waitForPresent("ada");
  expect(await ada.field.inputValue()).toBe("half a sent");
  await until("she is where she was", async () => (await seen()) === before, { seen });
  await ada.page.getByRole("button", { name: "1 new message" }).click();
  await ada.waitForRow("are you there?");
  await ada.waitForListed("Grace Hopper", { unread: 0 });

  await ada.page.reload();
  await ada.field.waitFor();
  expect(await ada.field.inputValue()).toBe("half a sent");
});

it("unread messages begin at a separator", async () => {
  const demo = await Demo.start();
  const chat = await demo.chat(["ada", "grace"]);
  const ada = await demo.enter("Ada", chat);
  await ada.send("last words");
  await ada.waitForRow("last words", "stored");
  await ada.page.getByRole("link", { name: "Live board", exact: true }).click();
  await demo.api.send(chat, "grace", "new one");
  await demo.api.send(chat, "grace", "new two");
  await ada.waitForListed("Grace Hopper", { unread: 2 });
  await ada.open("Grace Hopper");
  const line = ada.page.getByTestId("first-unread");
  await line.waitFor();
  expect(await line.locator("xpath=..").textContent()).toContain("new one");
  expect(await line.count()).toBe(1);
});
