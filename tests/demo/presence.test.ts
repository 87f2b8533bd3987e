// Who has a chat open: joins and leaves as others see them (promise 14).

import { expect, it } from "vitest";
import { problemsOf } from "../harness/browser";
import { Chat, Demo } from "../harness/demo";
import { figure } from "../harness/figures";
import { until } from "../harness/until";

/** The grace period before a leave, in ms: protocol/src/limits.rs. */
const GRACE_MS = 10_000;

/** Records all users whom the page shows as present from now on. */
async function watchHere(chat: Chat) {
  return chat.page.evaluateHandle(() => {
    const seen: (string | null)[] = [];
    const note = () => {
      const here = document.querySelector('[data-testid="here"]')?.getAttribute("data-here") ?? null;
      if (seen.at(-1) !== here) seen.push(here);
    };
    new MutationObserver(note).observe(document.body, { subtree: true, childList: true, attributes: true });
    note();
    return seen;
  });
}

it("a user who comes is seen at once, and one who leaves after the grace period", async () => {
  const demo = await Demo.start();
  const chat = await demo.chat(["ada", "grace"]);
  const ada = await demo.enter("Ada", chat);
  await ada.sees();
  const grace = await demo.enter("Grace", chat);
  await Promise.all([ada.sees("grace"), grace.sees("ada")]);

  const left = Date.now();
  await grace.page.close();
  await ada.sees();
  const took = Date.now() - left;
  expect(took).toBeGreaterThanOrEqual(GRACE_MS - 500);
  figure("leave after the last tab was closed", took, "ms");
  expect(problemsOf(ada.page)).toEqual([]);
});

it("a reload causes no flicker, and the user finds everything again", async () => {
  const demo = await Demo.start();
  const [ada, grace] = await demo.two();
  await ada.sees("grace");
  await grace.say("before");
  await ada.row("before");
  const seen = await watchHere(ada);

  for (const text of ["after one reload", "after two"]) {
    await grace.page.reload();
    await grace.connected("websocket");
    await grace.sees("ada");
    await grace.say(text);
    await ada.row(text, "received");
  }

  expect(await seen.jsonValue()).toEqual(["grace"]);
  await grace.conversation(["before", "after one reload", "after two"]);
});

it("a second tab of the same user is not a second user", async () => {
  const demo = await Demo.start();
  const [ada, grace] = await demo.two();
  await ada.sees("grace");
  const seen = await watchHere(ada);
  const tab = await grace.page.context().newPage();
  await tab.goto(grace.page.url());
  const second = new Chat(tab, "Grace");
  await second.connected();
  await second.sees("ada");
  await second.say("from my second tab");
  await ada.row("from my second tab", "received");
  await grace.row("from my second tab");
  await tab.close();
  await grace.say("and from the first");
  await ada.row("and from the first", "received");
  expect(await seen.jsonValue()).toEqual(["grace"]);
});

it("a user who only lost the connection is still present when it comes back", async () => {
  const demo = await Demo.start();
  const [ada, grace] = await demo.two();
  await ada.sees("grace");
  const seen = await watchHere(ada);
  await grace.dropSocket();
  await until("the drop was noticed", async () => (await grace.connection()).status !== "connected");
  await grace.connected();
  await grace.say("still here");
  await ada.row("still here");
  expect(await seen.jsonValue()).toEqual(["grace"]);
});
