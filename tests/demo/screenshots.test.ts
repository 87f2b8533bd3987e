// Screenshots of the demo for the README: only with EVERWIRE_SCREENSHOTS=1.

import { mkdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { it } from "vitest";
import { seed } from "../../demo-web/seed/seed.mjs";
import { Demo } from "../harness/demo";
import { KEY } from "../harness/demo-key";
import { until } from "../harness/until";

const DIRECTORY = resolve(import.meta.dirname, "../../docs/screenshots");
const SIZES = { narrow: { width: 360, height: 740 }, wide: { width: 1280, height: 800 } } as const;

it.runIf(process.env.EVERWIRE_SCREENSHOTS)("screenshots of people who chat", async () => {
  mkdirSync(DIRECTORY, { recursive: true });
  const demo = await Demo.start();
  await seed(demo.url, KEY);
  const direct = await demo.chat(["ada", "grace"]);
  const grace = await demo.enter("Grace", direct);
  await grace.waitForRow("Exactly.", "stored");
  const adas = [];
  for (const [size, viewport] of Object.entries(SIZES)) {
    for (const colorScheme of ["light", "dark"] as const) {
      // The same person on several devices.
      const options = { viewport, colorScheme, deviceScaleFactor: 2 };
      adas.push({ ada: await demo.enter("Ada", direct, options), picture: `${size}-${colorScheme}.png` });
    }
  }
  const [first] = adas;
  if (!first) return;
  await first.ada.send("I pulled the cable on purpose, twice.");
  await grace.waitForRow("I pulled the cable on purpose, twice.");
  await first.ada.choose("Exactly.", "Reply");
  await first.ada.send("Then it does what it says. Lunch?");
  await first.ada.waitForRow("Then it does what it says. Lunch?", { read: 1 });
  await grace.field.pressSequentially("On my w");
  for (const { ada, picture } of adas) {
    await ada.waitForRow("Then it does what it says. Lunch?", { read: 1 });
    await ada.waitForTyping("grace");
    await ada.page.mouse.move(0, 0);
    await ada.page.screenshot({ path: join(DIRECTORY, picture) });
  }
  const wide = adas.find(({ picture }) => picture === "wide-light.png")?.ada;
  if (!wide) return;
  await wide.page.getByRole("link", { name: "Live board", exact: true }).click();
  await until("the orders are there", async () => (await wide.page.getByTestId("order").count()) === 4);
  await wide.page.getByRole("button", { name: "New order" }).click();
  await until("there is one more", async () => (await wide.page.getByTestId("order").count()) === 5);
  await wide.page.screenshot({ path: join(DIRECTORY, "wide-light-board.png") });
  await wide.open("Moon landing");
  await wide.fault("Block WebSocket", true);
  await wide.waitForConnection("polling");
  await wide.send("And now without WebSocket.");
  await wide.waitForRow("And now without WebSocket.", "stored");
  await wide.page.screenshot({ path: join(DIRECTORY, "wide-light-faults.png") });
});
