// Who is here: coming and leaving as others see it (promise 14).

import { expect, it } from "vitest";
import { problemsOf } from "../harness/browser";
import { Chat } from "../harness/demo";
import { figure } from "../harness/figures";
import { Server } from "../harness/server";
import { until } from "../harness/until";

/** How long a leave is held back, in ms: protocol/src/limits.rs. */
const GRACE_MS = 10_000;

/** From now on, notes every list of members that the page shows. */
async function watchMembers(chat: Chat) {
  return chat.page.evaluateHandle(() => {
    const seen: string[] = [];
    const note = () => {
      const names = [...document.querySelectorAll('[data-testid="member"] .name')].map((n) => n.textContent);
      const text = names.sort().join();
      if (seen.at(-1) !== text) seen.push(text);
    };
    new MutationObserver(note).observe(document.body, {
      subtree: true,
      childList: true,
      characterData: true,
    });
    note();
    return seen;
  });
}

it("one who comes is seen at once, and one who goes after the grace", async () => {
  const { url } = await Server.start();
  const ada = await Chat.enter(url, "Ada");
  await ada.sees(["Ada"]);
  const ben = await Chat.enter(url, "Ben");
  await Promise.all([ada.sees(["Ada", "Ben"]), ben.sees(["Ada", "Ben"])]);

  const left = Date.now();
  await ben.page.close();
  await ada.sees(["Ada"]);
  const took = Date.now() - left;
  expect(took).toBeGreaterThanOrEqual(GRACE_MS - 500);
  figure("leave after the last tab was closed", took, "ms");
  expect(problemsOf(ada.page)).toEqual([]);
});

it("a reload shows no flicker, and whoever reloads finds everything again", async () => {
  const { url } = await Server.start();
  const [ada, ben] = await Promise.all([Chat.enter(url, "Ada"), Chat.enter(url, "Ben")]);
  await ada.sees(["Ada", "Ben"]);
  await ben.say("before");
  await ada.row("before");
  const seen = await watchMembers(ada);

  for (const text of ["after one reload", "after two"]) {
    await ben.page.reload();
    await ben.connected("websocket");
    await ben.sees(["Ada", "Ben"]);
    await ben.say(text);
    await ada.row(text, "received");
  }

  expect(await seen.jsonValue()).toEqual(["Ada,Ben"]);
  await ben.conversation(["before", "after one reload", "after two"]);
});

it("a second tab of the same person is no second person", async () => {
  const { url } = await Server.start();
  const [ada, ben] = await Promise.all([Chat.enter(url, "Ada"), Chat.enter(url, "Ben")]);
  await ada.sees(["Ada", "Ben"]);
  const seen = await watchMembers(ada);
  const tab = await ben.page.context().newPage();
  await tab.goto(url);
  const second = new Chat(tab, "Ben");
  await second.connected();
  await second.sees(["Ada", "Ben"]);
  await second.say("from my second tab");
  await ada.row("from my second tab", "received");
  await ben.row("from my second tab");
  await tab.close();
  await ben.say("and from the first");
  await ada.row("and from the first", "received");
  expect(await seen.jsonValue()).toEqual(["Ada,Ben"]);
});

it("someone who only lost the connection is still here when it comes back", async () => {
  const { url } = await Server.start();
  const [ada, ben] = await Promise.all([Chat.enter(url, "Ada"), Chat.enter(url, "Ben")]);
  await ada.sees(["Ada", "Ben"]);
  const seen = await watchMembers(ada);
  await ben.dropSocket();
  await until("the drop was noticed", async () => (await ben.connection()).status !== "connected");
  await ben.connected();
  await ben.say("still here");
  await ada.row("still here");
  expect(await seen.jsonValue()).toEqual(["Ada,Ben"]);
});
