// Actions on messages besides sending, as both sides see them.

import { expect, it } from "vitest";
import { problemsOf } from "../harness/browser";
import { Demo } from "../harness/demo";
import { until } from "../harness/until";

it("typing shows while it lasts, in the chat and in the list, and not to oneself", async () => {
  const demo = await Demo.start();
  const [ada, grace] = await demo.two();
  await ada.sees("grace");
  await grace.field.pressSequentially("I am wri");
  await ada.typing("grace");
  await ada.page.getByText("Grace is typing…").first().waitFor();
  await ada.lists("Grace Hopper", { preview: "Grace is typing…" });
  await grace.typing();
  await grace.field.press("Enter");
  await ada.row("I am wri");
  await ada.typing();

  // Deleted again before sending.
  await grace.field.pressSequentially("hm");
  await ada.typing("grace");
  await grace.field.fill("");
  await ada.typing();
});

it("a message is stored, delivered and read, and its author sees each state", async () => {
  const demo = await Demo.start();
  const chat = await demo.chat(["ada", "grace"]);
  const ada = await demo.enter("Ada", chat);
  await ada.say("Anybody?");
  expect(await ada.row("Anybody?", "stored")).toMatchObject({ delivered: 0, read: 0 });

  // Grace has received it, and looks at something else.
  const grace = await demo.enter("Grace");
  await grace.lists("Ada Lovelace", { unread: 1, preview: "Anybody?" });
  await grace.open("Ada Lovelace");
  await ada.row("Anybody?", { delivered: 1, read: 1 });
  await ada.message("Anybody?").getByText("Read", { exact: true }).waitFor({ state: "attached" });
  await grace.lists("Ada Lovelace", { unread: 0 });

  // Still subscribed, but on another page.
  await grace.page.getByRole("link", { name: "Live board", exact: true }).click();
  await ada.say("And this?");
  await ada.row("And this?", { delivered: 1, read: 0 });
  await ada.message("And this?").getByText("Delivered", { exact: true }).waitFor({ state: "attached" });
});

it("in a group, receipts are counted", async () => {
  const demo = await Demo.start();
  const chat = await demo.chat(["ada", "grace", "linus"], "Three");
  const [ada, grace] = await Promise.all([demo.enter("Ada", chat), demo.enter("Grace", chat)]);
  await ada.say("To both");
  await grace.row("To both");
  await ada.row("To both", { read: 1 });
  await ada.message("To both").getByText("Read by 1 of 2").waitFor({ state: "attached" });
  await demo.enter("Linus", chat);
  await ada.row("To both", { read: 2 });
  await ada.message("To both").getByText("Read by all").waitFor({ state: "attached" });
});

it("an edit and a deletion change the row on both sides, and persist after a reload", async () => {
  const demo = await Demo.start();
  const [ada, grace] = await demo.two();
  for (const text of ["teh cat", "never mind"]) {
    await ada.say(text);
    await ada.row(text, "stored");
  }
  await grace.row("never mind");

  await ada.choose("teh cat", "Edit");
  expect(await ada.field.inputValue()).toBe("teh cat");
  await ada.field.fill("the cat");
  await ada.field.press("Enter");
  await ada.row("the cat", { edited: true });
  await grace.row("the cat", { edited: true });

  await ada.choose("never mind", "Delete");
  await ada.row("You deleted this message", { deleted: true });
  await grace.row("This message was deleted", { deleted: true });

  await grace.page.reload();
  await grace.conversation(["the cat", "This message was deleted"]);
  expect(problemsOf(ada.page)).toEqual([]);
});

it("users change their own messages only; an owner may delete those of others", async () => {
  const demo = await Demo.start();
  const chat = await demo.chat(["ada", "grace"], "Owned");
  const [ada, grace] = await Promise.all([demo.enter("Ada", chat), demo.enter("Grace", chat)]);
  await ada.say("from the owner");
  await grace.say("from a member");
  await ada.row("from a member");
  await grace.row("from the owner");
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
  await grace.row("You deleted this message", { deleted: true });
});

it("a reply shows the original message, and leads to it", async () => {
  const demo = await Demo.start();
  const chat = await demo.chat(["ada", "grace"]);
  await demo.api.say(chat, "grace", "the question");
  for (let n = 0; n < 40; n++) await demo.api.say(chat, "grace", `line ${n}`);
  const ada = await demo.enter("Ada", chat);
  await ada.row("line 39");
  await ada.scrollUpTo("the question");
  await ada.choose("the question", "Reply");
  await ada.page.getByTestId("about").getByText("Reply to Grace Hopper").waitFor();
  await ada.say("the answer");
  await ada.row("the answer", "stored");
  const quote = ada.message("the answer").getByTestId("quote");
  expect(await quote.textContent()).toContain("Grace Hopperthe question");
  await until("the question is out of sight", async () => !(await ada.inView("the question")));
  await quote.click();
  await until("the question is seen again", () => ada.inView("the question"));
  expect(await ada.message("the question").getAttribute("data-flash")).toBe("true");

  // The same after a reload, although the original is older than what is initially loaded.
  for (let n = 0; n < 60; n++) await demo.api.say(chat, "grace", `more ${n}`);
  await ada.say("and again");
  await ada.row("and again", "stored");
  const grace = await demo.enter("Grace", chat);
  await grace.row("and again");
  await grace.scrollUpTo("the answer");
  await grace.message("the answer").getByTestId("quote").click();
  await until("it leads to the question", () => grace.inView("the question"));
});

it("Up edits the last message, and Esc cancels", async () => {
  const demo = await Demo.start();
  const [ada, grace] = await demo.two();
  await ada.say("one mistkae");
  await ada.row("one mistkae", "stored");
  await ada.field.press("ArrowUp");
  await until("it is in the field", async () => (await ada.field.inputValue()) === "one mistkae");
  await ada.field.press("Escape");
  await until("the field is empty", async () => (await ada.field.inputValue()) === "");
  await ada.field.press("ArrowUp");
  await ada.field.fill("one mistake");
  await ada.field.press("Enter");
  await grace.row("one mistake", { edited: true });
});
