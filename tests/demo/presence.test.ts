// Who has a chat open: joins and leaves as others see them (promise 14).

import { expect, it } from "vitest";
import { problemsOf } from "../harness/browser";
import { ChatPage, Demo } from "../harness/demo";
import { figure } from "../harness/figures";
import { until } from "../harness/until";

/** The grace period before a leave, in ms: protocol/src/limits.rs. */
const GRACE_MS = 10_000;

/** Records all users whom the page shows as present from now on. */
async function watchHere(chat: ChatPage) {
  return chat.page.evaluateHandle(() => {
    const seen: (string | null)[] = [];
    const record = () => {
      const here = document.querySelector('[data-testid="here"]')?.getAttribute("data-here") ?? null;
      if (seen.at(-1) !== here) seen.push(here);
    };
    new MutationObserver(record).observe(document.body, { subtree: true, childList: true, attributes: true });
    record();
    return seen;
  });
}

it("a user who comes is seen at once, and one who leaves after the grace period", async () => {
  const demo = await Demo.start();
  const chat = await demo.chat(["ada", "grace"]);
  const ada = await demo.enter("Ada", chat);
  await ada.waitForPresent();
  const grace = await demo.enter("Grace", chat);
  await Promise.all([ada.waitForPresent("grace"), grace.waitForPresent("ada")]);

  const left = Date.now();
  await grace.page.close();
  await ada.waitForPresent();
  const took = Date.now() - left;
  expect(took).toBeGreaterThanOrEqual(GRACE_MS - 500);
  figure("leave after the last tab was closed", took, "ms");
  expect(problemsOf(ada.page)).toEqual([]);
});

it("a reload causes no flicker, and the user finds everything again", async () => {
  const demo = await Demo.start();
  const [ada, grace] = await demo.openPair();
  await ada.waitForPresent("grace");
  await grace.send("before");
  await ada.waitForRow("before");
  const seen = await watchHere(ada);

  for (const text of ["after one reload", "after two"]) {
    await grace.page.reload();
    await grace.waitForConnection("websocket");
    await grace.waitForPresent("ada");
    await grace.send(text);
    await ada.waitForRow(text, "received");
  }

  expect(await seen.jsonValue()).toEqual(["grace"]);
  await grace.waitForConversation(["before", "after one reload", "after two"]);
});

it("a second tab of the same user is not a second user", async () => {
  const demo = await Demo.start();
  const [ada, grace] = await demo.openPair();
  await ada.waitForPresent("grace");
  const seen = await watchHere(ada);
  const tab = await grace.page.context().newPage();
  await tab.goto(grace.page.url());
  const second = new ChatPage(tab, "Grace");
  await second.waitForConnection();
  await second.waitForPresent("ada");
  await second.send("from my second tab");
  await ada.waitForRow("from my second tab", "received");
  await grace.waitForRow("from my second tab");
  await tab.close();
  await grace.send("and from the first");
  await ada.waitForRow("and from the first", "received");
  expect(await seen.jsonValue()).toEqual(["grace"]);
});

it("a user who only lost the connection is still present when it comes back", async () => {
  const demo = await Demo.start();
  const [ada, grace] = await demo.openPair();
  await ada.waitForPresent("grace");
  const seen = await watchHere(ada);
  await grace.dropSocket();
  await until("the drop was noticed", async () => (await grace.connection()).status !== "connected");
  await grace.waitForConnection();
  await grace.send("still here");
  await ada.waitForRow("still here");
  expect(await seen.jsonValue()).toEqual(["grace"]);
});
