// The server dies in mid-conversation and comes back on the same database: nobody loses or doubles anything (promise 1).

import { expect, it } from "vitest";
import { problemsOf } from "../harness/browser";
import { Chat } from "../harness/demo";
import { figure } from "../harness/figures";
import { Server } from "../harness/server";

/** All on one page, of one author, in the order in which they were written. */
const by = (texts: readonly string[], author: string) => texts.filter((text) => text.startsWith(author));

async function sameOnBoth(ada: Chat, ben: Chat, written: readonly string[]): Promise<void> {
  // The last words of both: what came before them has come.
  for (const author of ["ada", "ben"]) {
    const last = by(written, author).at(-1) ?? "";
    await (author === "ada" ? ada : ben).row(last, "stored");
    await (author === "ada" ? ben : ada).row(last, "received");
  }
  const texts = await ada.texts();
  for (const author of ["ada", "ben"]) expect(by(texts, author)).toEqual(by(written, author));
  expect(texts).toHaveLength(written.length);
  await ada.conversation(texts);
  await ben.conversation(texts);
  for (const chat of [ada, ben]) {
    await chat.openPanel();
    expect(await chat.count("lost")).toBe(0);
    expect(await chat.count("duplicated")).toBe(0);
    expect(problemsOf(chat.page, { broken: true })).toEqual([]);
  }
}

it("killed and restarted while both sides write: every message arrives once and in order", async () => {
  const server = await Server.start();
  const [ada, ben] = await Promise.all([Chat.enter(server.url, "Ada"), Chat.enter(server.url, "Ben")]);
  const written: string[] = [];
  const write = async (count: number) => {
    for (let n = 0; n < count; n++) {
      const [one, two] = [`ada ${written.length}`, `ben ${written.length + 1}`];
      written.push(one, two);
      await Promise.all([ada.say(one), ben.say(two)]);
    }
  };

  await write(5);
  // Not waiting for anything: some are on their way when it dies.
  await server.kill();
  await write(4);
  const down = Date.now();
  await server.start();
  await write(4);
  await sameOnBoth(ada, ben, written);
  figure("conversation whole again after the server was restarted", Date.now() - down, "ms");
});

it("restarted as planned: clients are told, come back, and lose nothing", async () => {
  const server = await Server.start({ args: ["--goaway-delay-ms", "50", "--goaway-spread-ms", "200"] });
  const [ada, ben] = await Promise.all([Chat.enter(server.url, "Ada"), Chat.enter(server.url, "Ben")]);
  await Promise.all([ada.say("ada before"), ben.say("ben before")]);
  const stopping = server.stop();
  await Promise.all([ada.say("ada between"), ben.say("ben between")]);
  await stopping;
  await server.start();
  await Promise.all([ada.say("ada after"), ben.say("ben after")]);
  await sameOnBoth(ada, ben, [
    "ada before",
    "ben before",
    "ada between",
    "ben between",
    "ada after",
    "ben after",
  ]);
});

it("restarted without its data: the page says that messages are missing, and the chat goes on", async () => {
  const server = await Server.start();
  const ada = await Chat.enter(server.url, "Ada");
  await ada.say("soon gone");
  await ada.row("soon gone", "stored");
  await server.kill();
  server.forget();
  await server.start();
  await ada.page.locator('[data-testid="missing"][data-reason="epoch"]').waitFor();
  await ada.say("a new beginning");
  await ada.row("a new beginning", "stored");
});
