// Actions on messages besides sending, as both sides see them.

import { expect, it } from "vitest";
import { problemsOf } from "../harness/browser";
import { Demo } from "../harness/demo";
import { until } from "../harness/until";

it("typing shows while it lasts, in the chat and in the list, and not to oneself", async () => {
  const demo = await Demo.start();
  const [ada, grace] = await demo.openPair();
  await ada.waitForPresent("grace");
  await grace.field.pressSequentially("I am wri");
  await ada.waitForTyping("grace");
  await ada.page.getByText("Grace is typing…").first().waitFor();
  await ada.waitForListed("Grace Hopper", { preview: "Grace is typing…" });
  await grace.waitForTyping();
  await grace.field.press("Enter");
  await ada.waitForRow("I am wri");
  await ada.waitForTyping();

  // Deleted again before sending.
  await grace.field.pressSequentially("hm");
  await ada.waitForTyping("grace");
  await grace.field.fill("");
  await ada.waitForTyping();
});

it("a message is stored, delivered and read, and its author sees each state", async () => {
  const demo = await Demo.start();
  const chat = await demo.chat(["ada", "grace"]);
  const ada = await demo.enter("Ada", chat);
  await ada.send("Anybody?");
  expect(await ada.waitForRow("Anybody?", "stored")).toMatchObject({ delivered: 0, read: 0 });

  // Grace has received it, and looks at something else.
  const grace = await demo.enter("Grace");
  await grace.waitForListed("Ada Lovelace", { unread: 1, preview: "Anybody?" });
  await grace.open("Ada Lovelace");
  await ada.waitForRow("Anybody?", { delivered: 1, read: 1 });
  await ada.message("Anybody?").getByText("Read", { exact: true }).waitFor({ state: "attached" });
  await grace.waitForListed("Ada Lovelace", { unread: 0 });

  // Still subscribed, but on another page.
  await grace.page.getByRole("link", { name: "Live board", exact: true }).click();
  await ada.send("And this?");
  await ada.waitForRow("And this?", { delivered: 1, read: 0 });
  await ada.message("And this?").getByText("Delivered", { exact: true }).waitFor({ state: "attached" });
});

it("in a group, receipts are counted", async () => {
  const demo = await Demo.start();
  const chat = await demo.chat(["ada", "grace", "linus"], "Three");
  const [ada, grace] = await Promise.all([demo.enter("Ada", chat), demo.enter("Grace", chat)]);
  await ada.send("To both");
  await grace.waitForRow("To both");
  await ada.waitForRow("To both", { read: 1 });
  await ada.message("To both").getByText("Read by 1 of 2").waitFor({ state: "attached" });
  await demo.enter("Linus", chat);
  await ada.waitForRow("To both", { read: 2 });
  await ada.message("To both").getByText("Read by all").waitFor({ state: "attached" });
});

it("an edit and a deletion change the row on both sides, and persist after a reload", async () => {
  const demo = await Demo.start();
  const [ada, grace] = await demo.openPair();
  for (const text of ["teh cat", "never mind"]) {
    await ada.send(text);
    await ada.waitForRow(text, "stored");
  }
  await grace.waitForRow("never mind");

  await ada.choose("teh cat", "Edit");
  expect(await ada.field.inputValue()).toBe("teh cat");
  await ada.field.fill("the cat");
  await ada.field.press("Enter");
  await ada.waitForRow("the cat", { edited: true });
  await grace.waitForRow("the cat", { edited: true });

  await ada.choose("never mind", "Delete");
  await ada.waitForRow("You deleted this message", { deleted: true });
  await grace.waitForRow("This message was deleted", { deleted: true });

  await grace.page.reload();
  await grace.waitForConversation(["the cat", "This message was deleted"]);
  expect(problemsOf(ada.page)).toEqual([]);
});

it("users change their own messages only; an owner may delete those of others", async () => {
  const demo = await Demo.start();
  const chat = await demo.chat(["ada", "grace"], "Owned");
  const [ada, grace] = await Promise.all([demo.enter("Ada", chat), demo.enter("Grace", chat)]);
  await ada.send("from the owner");
  await grace.send("from a member");
  await ada.waitForRow("from a member");
  await grace.waitForRow("from the owner");
  const offered = async (of: typeof ada, text: string) => {
    const message = of.message(text);
    await message.hover();
    await message.getByRole("button", { name: "Message actions" }).click();
    const names = await of.page.getByRole("menuitem").allTextContents();
    await of.page.keyboard.press("Escape");
    return names;
  };
  expect(await offered(grace, "from the owner")).toEqual(["Reply", "Copy text"]);
  expect(await offered(grace, "from a member")).toEqual(["Reply", "Edit", "Copy text", "Delete"]);
  expect(await offered(ada, "from a member")).toEqual(["Reply", "Copy text", "Delete"]);
  await ada.choose("from a member", "Delete");
  await grace.waitForRow("You deleted this message", { deleted: true });
});

it("a reply shows the original message, and leads to it", async () => {
  const demo = await Demo.start();
  const chat = await demo.chat(["ada", "grace"]);
  await demo.api.send(chat, "grace", "the question");
  for (let n = 0; n < 40; n++) await demo.api.send(chat, "grace", `line ${n}`);
  const ada = await demo.enter("Ada", chat);
  await ada.waitForRow("line 39");
  await ada.scrollUpTo("the question");
  await ada.choose("the question", "Reply");
  await ada.page.getByTestId("about").getByText("Reply to Grace Hopper").waitFor();
  await ada.send("the answer");
  await ada.waitForRow("the answer", "stored");
  const quote = ada.message("the answer").getByTestId("quote");
  expect(await quote.textContent()).toContain("Grace Hopperthe question");
  await until("the question is out of sight", async () => !(await ada.inView("the question")));
  await quote.click();
  await until("the question is seen again", () => ada.inView("the question"));
  expect(await ada.message("the question").getAttribute("data-flash")).toBe("true");

  // The same after a reload, although the original is older than what is initially loaded.
  for (let n = 0; n < 60; n++) await demo.api.send(chat, "grace", `more ${n}`);
  await ada.send("and again");
  await ada.waitForRow("and again", "stored");
  const grace = await demo.enter("Grace", chat);
  await grace.waitForRow("and again");
  await grace.scrollUpTo("the answer");
  await grace.message("the answer").getByTestId("quote").click();
  await until("it leads to the question", () => grace.inView("the question"));
});

it("Up edits the last message, and Esc cancels", async () => {
  const demo = await Demo.start();
  const [ada, grace] = await demo.openPair();
  await ada.send("one mistkae");
  await ada.waitForRow("one mistkae", "stored");
  await ada.field.press("ArrowUp");
  await until("it is in the field", async () => (await ada.field.inputValue()) === "one mistkae");
  await ada.field.press("Escape");
  await until("the field is empty", async () => (await ada.field.inputValue()) === "");
  await ada.field.press("ArrowUp");
  await ada.field.fill("one mistake");
  await ada.field.press("Enter");
  await grace.waitForRow("one mistake", { edited: true });
});
