// The server dies during a conversation and comes back with the same database: nothing is lost or duplicated (promise
// 1).

import { expect, it } from "vitest";
import { problemsOf } from "../harness/browser";
import { type ChatPage, Demo } from "../harness/demo";
import { figure } from "../harness/figures";
import { until } from "../harness/until";

/** All messages of one author are on one page, in the order in which they were written. */
const by = (texts: readonly string[], author: string) => texts.filter((text) => text.startsWith(author));

async function sameOnBoth(ada: ChatPage, grace: ChatPage, written: readonly string[]): Promise<void> {
  // The last messages of both: everything before them has arrived.
  for (const author of ["ada", "grace"]) {
    const last = by(written, author).at(-1) ?? "";
    await (author === "ada" ? ada : grace).waitForRow(last, "stored");
    await (author === "ada" ? grace : ada).waitForRow(last, "received");
  }
  const texts = await ada.allTexts();
  for (const author of ["ada", "grace"]) expect(by(texts, author)).toEqual(by(written, author));
  expect(texts).toHaveLength(written.length);
  expect(await grace.allTexts()).toEqual(texts);
  for (const chat of [ada, grace]) {
    await chat.openPanel();
    expect(await chat.count("lost")).toBe(0);
    expect(await chat.count("duplicated")).toBe(0);
    expect(problemsOf(chat.page, { broken: true })).toEqual([]);
  }
}

it("killed and restarted while both sides write: every message arrives once and in order", async () => {
  const demo = await Demo.start();
  const { server } = demo;
  const [ada, grace] = await demo.openPair();
  const written: string[] = [];
  const write = async (count: number) => {
    for (let n = 0; n < count; n++) {
      const [one, two] = [`ada ${written.length}`, `grace ${written.length + 1}`];
      written.push(one, two);
      await Promise.all([ada.send(one), grace.send(two)]);
    }
  };

  await write(5);
  // Without waiting: some are in flight when the server dies.
  await server.kill();
  await write(4);
  const down = Date.now();
  await server.start();
  await write(4);
  await sameOnBoth(ada, grace, written);
  figure("conversation whole again after the server was restarted", Date.now() - down, "ms");
});

it("planned restart: clients are told, come back, and lose nothing", async () => {
  const demo = await Demo.start(["--goaway-delay-ms", "50", "--goaway-spread-ms", "200"]);
  const { server } = demo;
  const [ada, grace] = await demo.openPair();
  await Promise.all([ada.send("ada before"), grace.send("grace before")]);
  const stopping = server.stop();
  await Promise.all([ada.send("ada between"), grace.send("grace between")]);
  await stopping;
  await server.start();
  await Promise.all([ada.send("ada after"), grace.send("grace after")]);
  await sameOnBoth(ada, grace, [
    "ada before",
    "grace before",
    "ada between",
    "grace between",
    "ada after",
    "grace after",
  ]);
});

it("restarted without its data: the chat is gone and the page says so; a new one works", async () => {
  const demo = await Demo.start();
  const { server } = demo;
  const [ada, grace] = await demo.openPair();
  await ada.send("soon gone");
  await ada.waitForRow("soon gone", "stored");
  await server.kill();
  server.forget();
  await server.start();
  await ada.page.getByRole("heading", { name: "You are not a member of this chat" }).waitFor();
  const chat = await demo.chat(["ada", "grace"]);
  for (const one of [ada, grace]) {
    await one.waitForConnection();
    await one.page.goto(`${demo.url}/#/chat/${chat}`);
  }
  await ada.send("a new beginning");
  await grace.waitForRow("a new beginning", "received");
});

it("a chat shows when too much was missed, and loads what is still stored", async () => {
  const demo = await Demo.start(["--replay-limit", "10"]);
  const chat = await demo.chat(["ada", "grace"]);
  for (let n = 0; n < 120; n++) await demo.api.send(chat, "grace", `before ${n}`);
  const ada = await demo.enter("Ada", chat);
  await ada.send("the last I saw");
  await ada.waitForRow("the last I saw", "stored");
  await ada.fault("Go offline", true);
  await ada.waitForStatus("offline");
  for (let n = 0; n < 30; n++) await demo.api.send(chat, "grace", `missed ${n}`);
  await ada.fault("Go offline", false);
  await ada.waitForConnection();
  await demo.api.send(chat, "grace", "and now");
  await ada.waitForRow("and now");
  const missing = ada.page.locator('[data-testid="missing"][data-reason="too_far"]');
  await missing.getByRole("button", { name: "Load messages" }).click();
  // The scroll position is kept, and missed messages appear below it.
  await until("they are fetched", () => ada.inView("missed 0"));
  expect(await missing.count()).toBe(0);
  const texts = await ada.allTexts();
  const expected = ["the last I saw", ...Array.from({ length: 30 }, (_, n) => `missed ${n}`), "and now"];
  expect(texts.slice(-expected.length)).toEqual(expected);
});
