// The demo for everybody: by keyboard alone, for screen readers, on small and large screens, in light and in dark, under a
// strict policy and without a complaint in the console.

import axe from "axe-core";
import type { Page } from "playwright-core";
import { expect, it } from "vitest";
import { freshPage, problemsOf } from "../harness/browser";
import { Chat } from "../harness/demo";
import { Server } from "../harness/server";
import { until } from "../harness/until";

const SIZES = { narrow: { width: 360, height: 740 }, wide: { width: 1280, height: 800 } } as const;

/** What axe-core finds wrong, in words. */
async function violations(page: Page): Promise<string[]> {
  await page.evaluate(axe.source);
  const { violations } = await page.evaluate(async () => {
    // Colours on their way to others have no contrast of their own yet.
    await Promise.all(document.getAnimations().map((animation) => animation.finished.catch(() => undefined)));
    return (window as unknown as { axe: typeof axe }).axe.run(document, { resultTypes: ["violations"] });
  });
  return violations.map(
    ({ id, help, nodes }) => `${id}: ${help}: ${nodes.map(({ target }) => target.join(" ")).join(", ")}`,
  );
}

/** Nothing is wider than the page. */
const overflow = (page: Page) =>
  page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);

for (const [size, viewport] of Object.entries(SIZES)) {
  for (const colorScheme of ["light", "dark"] as const) {
    it(`${size} and ${colorScheme}: axe-core finds nothing wrong in the main states`, async () => {
      const { url } = await Server.start();
      const ben = await Chat.enter(url, "Ben");
      await ben.say("Is anybody here?");
      await ben.row("Is anybody here?", "stored");

      // Still pictures: what fades in has no contrast while it does.
      const page = await freshPage({ viewport, colorScheme, reducedMotion: "reduce" });
      const found = new Map<string, string[]>();
      const look = async (state: string) => {
        found.set(state, await violations(page));
        expect(await overflow(page), state).toBe(0);
      };
      await page.goto(url);
      await look("name entry");
      await page.getByRole("button", { name: "Enter" }).click();
      await page.getByRole("alert").waitFor();
      await look("name missing");

      const ada = new Chat(page, "Ada Lovelace");
      await ada.giveName();
      await ada.connected();
      await ada.row("Is anybody here?");
      await ada.say("I am! See https://example.com and a word as long as this one: ".concat("x".repeat(120)));
      await until("it is stored", async () => (await ada.rows()).at(-1)?.status === "stored");
      await look("room");
      if (size === "narrow") {
        await page.getByRole("button", { name: "Rooms and people" }).click();
        await page.getByRole("dialog").waitFor();
        await look("drawer");
        await page.keyboard.press("Escape");
      }
      await ada.openPanel();
      await look("fault panel");
      await ada.fault("Go offline", true);
      await ada.status("offline");
      await look("offline");
      expect(Object.fromEntries([...found].filter(([, list]) => list.length > 0))).toEqual({});
      expect(problemsOf(page, { broken: true })).toEqual([]);
    });
  }
}

/** Presses Tab until this has the focus, as somebody without a mouse does. */
async function tabTo(
  page: Page,
  role: Parameters<Page["getByRole"]>[0],
  name: string | RegExp,
): Promise<void> {
  const wanted = page.getByRole(role, { name });
  for (let presses = 0; presses < 60; presses++) {
    if (await wanted.evaluate((element) => element === document.activeElement)) return;
    await page.keyboard.press("Tab");
  }
  throw new Error(`60 times Tab did not lead to ${role} ${name}`);
}

it("everything can be done with the keyboard alone", async () => {
  const { url } = await Server.start();
  const ben = await Chat.enter(url, "Ben");
  const page = await freshPage();
  await page.goto(url);
  const ada = new Chat(page, "Ada");

  // The one question of the page has the focus.
  await page.keyboard.type("Ada");
  await page.keyboard.press("Enter");
  await ada.connected("websocket");
  await tabTo(page, "textbox", /^Message to/);
  await page.keyboard.type("one line");
  await page.keyboard.press("Shift+Enter");
  await page.keyboard.type("and another");
  await page.keyboard.press("Enter");
  await ben.row("one line\nand another", "received");

  await tabTo(page, "button", /^Break it/);
  await page.keyboard.press("Enter");
  await tabTo(page, "switch", "Block WebSocket");
  await page.keyboard.press("Space");
  await ada.connected("polling");
  await tabTo(page, "button", "Close the fault panel");
  await page.keyboard.press("Enter");
  // Where one came from: the focus is not lost with the panel.
  await tabTo(page, "button", /^Break it/);
  await tabTo(page, "link", /kitchen/);
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "#kitchen", exact: true }).waitFor();
  await tabTo(page, "textbox", /^Message to/);
  await page.keyboard.type("written without a mouse");
  await page.keyboard.press("Enter");
  await ada.row("written without a mouse", "stored");
});

it("a screen reader hears of the connection and of others' messages", async () => {
  const { url } = await Server.start();
  const [ada, ben] = await Promise.all([Chat.enter(url, "Ada"), Chat.enter(url, "Ben")]);
  const heard = (what: RegExp) =>
    until(`${what} is announced`, async () =>
      what.test((await ada.page.getByTestId("announced").textContent()) ?? ""),
    );
  await ben.say("Can you hear me?");
  await heard(/Can you hear me\?/);
  await ada.fault("Go offline", true);
  await heard(/offline/i);
});

it("the page asks nobody but its own server, and breaks no rule of its policy", async () => {
  const { url } = await Server.start();
  const page = await freshPage();
  const elsewhere: string[] = [];
  page.on("request", (request) => {
    if (!request.url().startsWith(url) && !request.url().startsWith("data:")) elsewhere.push(request.url());
  });
  await page.goto(url);
  const policy = await page
    .locator('meta[http-equiv="Content-Security-Policy"]')
    .evaluate((element) => element.getAttribute("content"));
  expect(policy).toMatch(/script-src 'self' 'wasm-unsafe-eval'(;|$)/);
  expect(policy).not.toMatch(/unsafe-inline|'unsafe-eval'|blob:|data:/);
  const ada = new Chat(page, "Ada");
  await ada.giveName();
  await ada.connected();
  await ada.say("within the rules");
  await ada.row("within the rules", "stored");
  expect(elsewhere).toEqual([]);
  expect(problemsOf(page)).toEqual([]);
});
