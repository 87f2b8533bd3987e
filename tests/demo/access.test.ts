// Accessibility and robustness of the demo: keyboard only, screen readers, small and large screens, light and dark,
// under a strict policy and without console messages.

import axe from "axe-core";
import type { Page } from "playwright-core";
import { expect, it } from "vitest";
import { freshPage, problemsOf } from "../harness/browser";
import { ChatPage, Demo } from "../harness/demo";
import { until } from "../harness/until";

const SIZES = { narrow: { width: 360, height: 740 }, wide: { width: 1280, height: 800 } } as const;

/** The violations that axe-core finds, as text. */
async function violations(page: Page): Promise<string[]> {
  await page.evaluate(axe.source);
  const { violations } = await page.evaluate(async () => {
    // The contrast of colours in transition is not final; infinite animations never finish.
    const ending = document
      .getAnimations()
      .filter((animation) => animation.effect?.getComputedTiming().iterations !== Number.POSITIVE_INFINITY);
    await Promise.all(ending.map((animation) => animation.finished.catch(() => undefined)));
    return (window as unknown as { axe: typeof axe }).axe.run(document, { resultTypes: ["violations"] });
  });
  return violations.map(
    ({ id, help, nodes }) => `${id}: ${help}: ${nodes.map(({ target }) => target.join(" ")).join(", ")}`,
  );
}

/** The page does not scroll horizontally. */
const overflow = (page: Page) =>
  page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);

/** Sample data with everything in it. */
async function world(): Promise<{ demo: Demo; chat: string }> {
  const demo = await Demo.start();
  const chat = await demo.chat(["ada", "grace", "linus"], "Engine");
  await demo.chat(["ada", "margaret"]);
  await demo.api.createChat({
    kind: "group",
    title: "For guests",
    users: { linus: "owner", ada: "invited" },
  });
  await demo.api.send(chat, "grace", "Is anybody here?");
  const lamp = { id: "1", customer: "Ana Ruiz", item: "Desk lamp", cents: 4900, state: "new" };
  const to = { channel: "board" };
  await demo.api.publish(to, {
    event: "data_update",
    data: { entity: "order", action: "created", data: lamp },
  });
  for (const [system, status] of [
    ["mail", "down"],
    ["shop", "ok"],
    ["search", "degraded"],
  ])
    await demo.api.publish(to, { event: "status_update", data: { system, status, message: "As it is" } });
  await demo.api.publish(to, {
    event: "user_activity",
    data: { user: "grace", activity: "printed a label" },
  });
  return { demo, chat };
}

for (const [size, viewport] of Object.entries(SIZES)) {
  for (const colorScheme of ["light", "dark"] as const) {
    it(`${size} and ${colorScheme}: axe-core finds no violations in the main states`, async () => {
      const { demo, chat } = await world();
      const grace = await demo.enter("Grace", chat);
      // Disable animations: elements that fade in have no contrast meanwhile.
      const page = await freshPage({ viewport, colorScheme, reducedMotion: "reduce" });
      const found = new Map<string, string[]>();
      const look = async (state: string) => {
        found.set(state, await violations(page));
        expect(await overflow(page), state).toBe(0);
      };
      const ada = new ChatPage(page, "Ada");
      await page.goto(demo.url);
      await look("sign in");
      await page.getByRole("button", { name: "Enter" }).click();
      await page.getByRole("alert").waitFor();
      await look("name missing");

      await ada.signIn();
      await ada.waitForConnection();
      await ada.waitForListed("Engine", { unread: 1 });
      await page.getByTestId("invitation").waitFor();
      const note = {
        title: "Soon",
        message: "The server restarts. See how little you notice.",
        url: "#/board",
      };
      await demo.api.publish("everyone", { event: "notification", data: note });
      await page.getByTestId("toast").waitFor();
      await look("chats, an invitation and a notification");
      await page.getByTestId("bell").click();
      await look("notifications");
      await page.keyboard.press("Escape");
      await page.getByTestId("myself").click();
      await look("own menu");
      await page.keyboard.press("Escape");
      await page.getByRole("button", { name: "New chat", exact: true }).click();
      await page.getByRole("dialog").waitFor();
      await look("new chat");
      await page.keyboard.press("Escape");

      await ada.open("Engine");
      await ada.waitForRow("Is anybody here?");
      await ada.send(
        "I am! See https://example.com and a word as long as this one: ".concat("x".repeat(120)),
      );
      await until("it is read", async () => (await ada.rows()).at(-1)?.read === 1);
      await ada.choose("Is anybody here?", "Reply");
      await ada.send("An answer");
      await ada.waitForRow("An answer", "stored");
      await grace.field.pressSequentially("typ");
      await ada.waitForTyping("grace");
      await look("a chat");
      await ada.message("An answer").hover();
      await ada.message("An answer").getByRole("button", { name: "Message actions" }).click();
      await look("message menu");
      await page.keyboard.press("Escape");
      await ada.choose("An answer", "Edit");
      await look("editing");
      await page.getByRole("button", { name: "Cancel edit" }).click();
      await ada.choose("An answer", "Delete");
      await ada.waitForRow("You deleted this message");
      await page.getByRole("button", { name: "About this chat" }).click();
      await page.getByRole("button", { name: "Invite people" }).click();
      await look("details of a chat");
      await page.keyboard.press("Escape");

      await ada.openPanel();
      await look("fault panel");
      await ada.fault("Go offline", true);
      await ada.waitForStatus("offline");
      await ada.send("Nobody hears this yet");
      await ada.waitForRow("Nobody hears this yet", "queued");
      await look("offline");
      await ada.fault("Go offline", false);
      await ada.waitForConnection();
      await page.getByRole("button", { name: "Close the fault panel" }).click();
      await page.goto(`${demo.url}/#/board`);
      await page.getByTestId("order").waitFor();
      await look("board");
      await page.goto(`${demo.url}/#/chat/nowhere`);
      await page.getByRole("heading", { name: "You are not a member of this chat" }).waitFor();
      await look("not a member");
      expect(Object.fromEntries([...found].filter(([, list]) => list.length > 0))).toEqual({});
      expect(problemsOf(page, { broken: true })).toEqual([]);
    });
  }
}

/** Presses Tab until this element has the focus. */
async function tabTo(
  page: Page,
  role: Parameters<Page["getByRole"]>[0],
  name: string | RegExp,
  key = "Tab",
): Promise<void> {
  const wanted = page.getByRole(role, { name });
  for (let presses = 0; presses < 60; presses++) {
    if (await wanted.evaluate((element) => element === document.activeElement)) return;
    await page.keyboard.press(key);
  }
  throw new Error(`${role} ${name} is not reachable by pressing ${key} 60 times`);
}

it("everything works with the keyboard alone", async () => {
  const demo = await Demo.start();
  const chat = await demo.chat(["ada", "grace"]);
  await demo.chat(["ada", "grace", "alan"], "Kitchen");
  const grace = await demo.enter("Grace", chat);
  const page = await freshPage();
  await page.goto(demo.url);
  const ada = new ChatPage(page, "Ada");

  await tabTo(page, "button", /^Ada /);
  await page.keyboard.press("Enter");
  await ada.waitForConnection("websocket");
  await ada.waitForListed("Grace Hopper");
  // The list is one tab stop; arrows move inside.
  await tabTo(page, "link", /^Kitchen/);
  await tabTo(page, "link", /^Grace Hopper/, "ArrowDown");
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { level: 1, name: "Grace Hopper" }).waitFor();
  await tabTo(page, "textbox", /^Message to/);
  await page.keyboard.type("one line");
  await page.keyboard.press("Shift+Enter");
  await page.keyboard.type("and another");
  await page.keyboard.press("Enter");
  await grace.waitForRow("one line\nand another", "received");
  await grace.send("a question");
  await ada.waitForRow("a question");

  // Back to the conversation: arrows move between messages, and letter keys act on them.
  await tabTo(page, "article", /^Grace Hopper, .*a question/, "Shift+Tab");
  await page.keyboard.press("r");
  await page.getByTestId("about").waitFor();
  await page.keyboard.type("an answer");
  await page.keyboard.press("Enter");
  await ada.waitForRow("an answer", "stored");
  await tabTo(page, "article", /a question$/, "Shift+Tab");
  await page.keyboard.press("ArrowUp");
  await page.keyboard.press("e");
  await until("it is corrected", async () => (await ada.field.inputValue()) === "one line\nand another");
  await page.keyboard.press("Control+A");
  await page.keyboard.type("a single line");
  await page.keyboard.press("Enter");
  await grace.waitForRow("a single line", { edited: true });
  await page.keyboard.press("Escape");

  await tabTo(page, "button", /^Break it/);
  await page.keyboard.press("Enter");
  await tabTo(page, "switch", "Block WebSocket");
  await page.keyboard.press("Space");
  await ada.waitForConnection("polling");
  await tabTo(page, "button", "Close the fault panel");
  await page.keyboard.press("Enter");
  // Closing the panel returns the focus.
  expect(
    await page.getByRole("button", { name: /^Break it/ }).evaluate((e) => e === document.activeElement),
  ).toBe(true);
  await page.keyboard.press("Escape");
  await page.getByRole("heading", { name: "Choose a chat" }).waitFor();
  await page.keyboard.press("n");
  await page.getByRole("dialog", { name: "New chat" }).waitFor();
  await page.keyboard.press("Escape");
  await until("the dialog is gone", async () => (await page.getByRole("dialog").count()) === 0);
  await tabTo(page, "button", /^You: Ada/);
  await page.keyboard.press("Enter");
  await page.keyboard.press("a");
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("Enter");
  await page.getByRole("button", { name: /^You: Ada Lovelace ?, away/ }).waitFor();
});

it("a screen reader hears connection changes and messages of others in all chats", async () => {
  const demo = await Demo.start();
  const [ada, grace] = await demo.openPair();
  const other = await demo.chat(["linus", "ada", "alan"], "Kitchen");
  await ada.waitForListed("Kitchen");
  const received = (what: RegExp) =>
    until(`${what} is announced`, async () =>
      what.test((await ada.page.getByTestId("announced").textContent()) ?? ""),
    );
  await grace.send("Can you hear me?");
  await received(/Grace Hopper: Can you hear me\?/);
  await demo.api.send(other, "linus", "And me?");
  await received(/Linus Pauling in Kitchen: And me\?/);
  await ada.fault("Go offline", true);
  await received(/offline/i);
});

it("the page requests nothing from other hosts, and complies with its security policy", async () => {
  const demo = await Demo.start();
  const { url } = demo;
  const page = await freshPage();
  const elsewhere: string[] = [];
  page.on("request", (request) => {
    if (!request.url().startsWith(url) && !request.url().startsWith("data:")) elsewhere.push(request.url());
  });
  await page.goto(`${url}/#/chat/${await demo.chat(["ada", "grace"])}`);
  const policy = await page
    .locator('meta[http-equiv="Content-Security-Policy"]')
    .evaluate((element) => element.getAttribute("content"));
  expect(policy).toMatch(/script-src 'self' 'wasm-unsafe-eval'(;|$)/);
  expect(policy).not.toMatch(/unsafe-inline|'unsafe-eval'|blob:|data:/);
  const ada = new ChatPage(page, "Ada");
  await ada.signIn();
  await ada.waitForConnection();
  await ada.send("within the rules");
  await ada.waitForRow("within the rules", "stored");
  await page.getByRole("link", { name: "Live board", exact: true }).click();
  await page.getByRole("button", { name: "New order" }).click();
  await page.getByTestId("order").waitFor();
  expect(elsewhere).toEqual([]);
  expect(problemsOf(page)).toEqual([]);
});

it("on a phone, pages link to each other and back", async () => {
  const demo = await Demo.start();
  const chat = await demo.chat(["ada", "grace"]);
  const options = { viewport: SIZES.narrow, isMobile: true, hasTouch: true };
  const [ada, grace] = [await demo.enter("Ada", undefined, options), await demo.enter("Grace", chat)];
  await ada.open("Grace Hopper");
  await ada.field.fill("from the train");
  await ada.page.getByRole("button", { name: "Send" }).tap();
  await grace.waitForRow("from the train", "received");
  await grace.waitForPresent("ada");
  await ada.page.getByRole("link", { name: "All chats" }).tap();
  await grace.waitForPresent();
  await grace.send("mind the gap");
  await ada.waitForListed("Grace Hopper", { unread: 1, preview: "mind the gap" });
  await ada.page.getByRole("link", { name: "Live board", exact: true }).tap();
  await ada.page.getByTestId("board").waitFor();
  await ada.page.goBack();
  await ada.open("Grace Hopper");
  await ada.waitForRow("mind the gap", "received");
  expect(await overflow(ada.page)).toBe(0);
  expect(problemsOf(ada.page)).toEqual([]);
});
