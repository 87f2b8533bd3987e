// The status of people: online, manually away, offline with the time when they were last seen; on all pages of others.

import { expect, it } from "vitest";
import { Demo } from "../harness/demo";
import { until } from "../harness/until";

it("others see the status, set manually and automatically, and when a user was last seen", async () => {
  const demo = await Demo.start();
  const chat = await demo.chat(["ada", "grace"]);
  const ada = await demo.enter("Ada", chat);
  const head = ada.page.getByRole("main").locator(".page-title");
  const says = (words: RegExp) =>
    until(`it says ${words}`, async () => words.test((await head.textContent()) ?? ""), {
      seen: () => head.textContent(),
    });
  await says(/offline/);
  const grace = await demo.enter("Grace");
  await says(/online/);

  const choose = async (status: string) => {
    await grace.page.getByTestId("myself").click();
    await grace.page.getByRole("menuitemradio", { name: new RegExp(`^${status}`) }).click();
  };
  await choose("Away");
  await says(/away/);
  await grace.page.getByRole("button", { name: /^You: Grace Hopper ?, away/ }).waitFor();
  await choose("Offline");
  await says(/last seen just now|offline/);
  await choose("Automatic");
  await says(/online/);

  await grace.page.close();
  await says(/last seen just now/);
});

it("a visitor can switch to another person", async () => {
  const demo = await Demo.start();
  const chat = await demo.chat(["ada", "grace"]);
  const page = await demo.enter("Ada", chat);
  await page.send("as Ada");
  await page.waitForRow("as Ada", "stored");
  await page.page.getByTestId("myself").click();
  await page.page.getByRole("menuitem", { name: "Switch person" }).click();
  await page.page.getByRole("button", { name: /^Grace / }).click();
  await page.waitForConnection();
  await page.open("Ada Lovelace");
  await page.waitForRow("as Ada", "received");
  await page.page.reload();
  await page.waitForRow("as Ada", "received");
});

it("a second window is another person at once", async () => {
  const demo = await Demo.start();
  await demo.chat(["ada", "grace"]);
  const ada = await demo.enter("Ada");
  const opening = ada.page.context().waitForEvent("page");
  await ada.page.getByRole("region", { name: "Hint" }).getByRole("link").click();
  const second = await opening;
  await second.getByRole("button", { name: /^You: Grace Hopper/ }).waitFor();
  expect(await ada.page.getByRole("button", { name: /^You: Ada Lovelace/ }).count()).toBe(1);
});
