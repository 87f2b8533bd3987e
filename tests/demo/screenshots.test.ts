// Pictures of the demo for the README, made of the real thing: only when asked for, with EVERWIRE_SCREENSHOTS=1.

import { mkdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { it } from "vitest";
import { freshPage } from "../harness/browser";
import { Chat } from "../harness/demo";
import { Server } from "../harness/server";

const DIRECTORY = resolve(import.meta.dirname, "../../docs/screenshots");
const SIZES = { narrow: { width: 360, height: 740 }, wide: { width: 1280, height: 800 } } as const;

it.runIf(process.env.EVERWIRE_SCREENSHOTS)("pictures of two people who chat", async () => {
  mkdirSync(DIRECTORY, { recursive: true });
  const { url } = await Server.start();
  const ben = await Chat.enter(url, "Ben Okafor");
  for (const text of ["Morning! Is the build green?", "I left the server running on my machine."]) {
    await ben.say(text);
    await ben.row(text, "stored");
  }
  const adas = [];
  for (const [size, viewport] of Object.entries(SIZES)) {
    for (const colorScheme of ["light", "dark"] as const) {
      const page = await freshPage({ viewport, colorScheme, deviceScaleFactor: 2 });
      // The same person each time, as somebody with several devices.
      await page.addInitScript(() =>
        localStorage.setItem(
          "everwire-demo.identity",
          '{"user":"guest-00000000000000ad","name":"Ada Lovelace"}',
        ),
      );
      await page.goto(url);
      const ada = new Chat(page, "Ada Lovelace");
      await ada.connected("websocket");
      adas.push({ ada, picture: `${size}-${colorScheme}.png` });
    }
  }
  const [first] = adas;
  const said: [Chat | undefined, string][] = [
    [first?.ada, "Green since nine. I pulled the cable on purpose, twice."],
    [first?.ada, "Did you notice?"],
    [ben, "Not at all. Everything you wrote is here, once, and in order."],
    [first?.ada, "Then it does what it says. Lunch?"],
  ];
  for (const [who, text] of said) {
    await who?.say(text);
    await who?.row(text, "stored");
  }
  for (const { ada, picture } of adas) {
    await ada.row("Then it does what it says. Lunch?");
    await ada.page.screenshot({ path: join(DIRECTORY, picture) });
  }
  const wide = adas.find(({ picture }) => picture === "wide-light.png");
  if (!wide) return;
  await wide.ada.fault("Block WebSocket", true);
  await wide.ada.connected("polling");
  await wide.ada.say("And now without WebSocket.");
  await wide.ada.row("And now without WebSocket.", "stored");
  await wide.ada.page.screenshot({ path: join(DIRECTORY, "wide-light-faults.png") });
});
