// A disk that is full under the running server: sends are refused with a typed error, reading still works, and when
// there is space again everything is stored, once and in order. The disk is "full" because the kernel lets the server
// write no file beyond its present length (RLIMIT_FSIZE), which is the same refusal in the middle of a write.

import { expect, it } from "vitest";
import { BarePage, expectContiguous, numbersOf } from "../harness/bare";
import { PAGES, Server } from "../harness/server";
import { until } from "../harness/until";

const CHANNEL = "private-disk";

// The limits of a running process can be set from outside on Linux only.
it.skipIf(process.platform !== "linux")(
  "a full disk is a typed error, and nothing is lost when space is available again",
  async () => {
    const server = await Server.start({ serveDir: PAGES, limited: true });
    const page = await BarePage.open(server.url);
    const ada = await page.connect("ada");
    const bob = await page.connect("bob");
    await ada.subscribe(CHANNEL);
    await bob.subscribe(CHANNEL);
    await ada.sendMany(CHANNEL, 0, 20);
    await bob.waitForEntries(CHANNEL, 20);

    server.fillDisk();
    await ada.sendMany(CHANNEL, 20, 20);
    await until(
      "the application is told",
      async () => (await ada.errors()).some((error) => error.includes("unavailable")),
      {
        seen: () => ada.errors(),
      },
    );
    const ready = async () => (await fetch(`${server.url}/readyz`)).status;
    expect(await ready(), "no new clients are to be sent here").toBe(503);
    expect((await fetch(`${server.url}/livez`)).status, "a restart would not help").toBe(200);
    expect(await bob.receivedCount(CHANNEL), "what is not stored is given to nobody").toBe(20);
    // New clients can still read.
    const cy = await page.connect("cy");
    expect(await cy.subscribe(CHANNEL, { recent: 5 })).toHaveProperty("ok");
    expect((await cy.waitForEntries(CHANNEL, 5)).map(({ offset }) => offset)).toEqual([16, 17, 18, 19, 20]);

    server.freeDisk();
    await until("the server is ready again", async () => (await ready()) === 200);
    const received = await bob.waitForEntries(CHANNEL, 40);
    expectContiguous(received);
    expect(numbersOf(received, "ada")).toEqual([...Array(40).keys()]);
    expect(await ada.send(CHANNEL, "and one more")).toMatchObject({ ok: { offset: 41 } });
  },
);

it.skipIf(process.platform !== "linux")(
  "a server that is killed while its disk is full has kept what it acknowledged",
  async () => {
    const server = await Server.start({ serveDir: PAGES, limited: true });
    const ada = await (await BarePage.open(server.url)).connect("ada");
    await ada.subscribe(CHANNEL);
    await ada.sendMany(CHANNEL, 0, 20);
    await ada.waitForEntries(CHANNEL, 20);
    server.fillDisk();
    await ada.sendMany(CHANNEL, 20, 5);
    await until(
      "the application is told",
      async () => (await ada.errors()).some((error) => error.includes("unavailable")),
      {
        seen: () => ada.errors(),
      },
    );
    await server.kill();
    await server.start();
    const received = await ada.waitForEntries(CHANNEL, 25);
    expectContiguous(received);
    expect(numbersOf(received, "ada")).toEqual([...Array(25).keys()]);
  },
);
