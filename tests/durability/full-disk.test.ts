// A file system that is really full under the running server, by a file or by the messages themselves: sends are refused with a
// typed error that the client retries, what was acknowledged stays, reading goes on, and when there is space again
// everything is stored, once and in order. disk.test.ts does it where no small file system can be made.

import { describe, expect, it } from "vitest";
import { BarePage, expectContiguous, numbersOf, type PageClient } from "../harness/bare";
import { PAGES, Server } from "../harness/server";
import { SMALL_DISKS, SmallDisk } from "../harness/small-disk";
import { until } from "../harness/until";

const CHANNEL = "private-full";

/** A message's text that fills the disk soon. */
const LONG = "x".repeat(24 * 1024);

/** The free space that the server asks for: far below the size of the file system. */
const LEAST = 128 * 1024;

const start = (disk: SmallDisk) =>
  Server.start({ serveDir: PAGES, disk, args: ["--min-free-bytes", String(LEAST)] });

interface Readiness {
  readonly code: number;
  readonly store: { readonly writable: boolean; readonly reason: string | null; readonly free_bytes: number };
}

async function readiness(server: Server): Promise<Readiness> {
  const response = await fetch(`${server.url}/readyz`);
  return { code: response.status, ...((await response.json()) as Omit<Readiness, "code">) };
}

const isReady = (server: Server) =>
  until("the server is ready again", async () => (await readiness(server)).code === 200, {
    seen: () => readiness(server),
  });

/** Whether the application has been told that a send is not possible now. */
const isTold = async (client: PageClient) =>
  (await client.errors()).some((error) => error.includes("unavailable"));

describe.skipIf(!SMALL_DISKS)("a full file system", () => {
  it("filled by a file: sends wait, reading goes on, and nothing is lost", async () => {
    const disk = await SmallDisk.make("8m");
    const server = await start(disk);
    const page = await BarePage.open(server.url);
    const ada = await page.connect("ada");
    const bob = await page.connect("bob");
    await ada.subscribe(CHANNEL);
    await bob.subscribe(CHANNEL);
    await ada.sendMany(CHANNEL, 0, 20);
    await bob.waitForEntries(CHANNEL, 20);

    disk.fill();
    expect(disk.freeBytes).toBe(0);
    const full = await readiness(server);
    expect(full.code, "without waiting for a send that fails").toBe(503);
    expect(full.store).toMatchObject({ writable: false, free_bytes: 0 });
    expect(full.store.reason).toContain("--min-free-bytes");

    // The write-ahead log may have room for some, and what is freed goes to the file.
    let sent = 20;
    await until(
      "a send is refused",
      async () => {
        if (await isTold(ada)) return true;
        disk.fill();
        await ada.sendMany(CHANNEL, sent, 20);
        sent += 20;
        return false;
      },
      { seen: () => ada.errors() },
    );
    expect((await fetch(`${server.url}/livez`)).status, "a restart would not help").toBe(200);
    const stored = await bob.receivedCount(CHANNEL);
    expect(stored).toBeLessThan(sent);
    // New clients read what is stored.
    const cy = await page.connect("cy");
    expect(await cy.subscribe(CHANNEL, { recent: 5 })).toHaveProperty("ok");
    await cy.waitForEntries(CHANNEL, 5);
    // Nothing of it is given up: the client waits, and asks again.
    const other = ada.send(CHANNEL, "held");

    disk.free();
    await isReady(server);
    expect(await other).toHaveProperty("ok");
    const received = await bob.waitForEntries(CHANNEL, sent + 1);
    expectContiguous(received);
    expect(numbersOf(received.slice(0, -1), "ada")).toEqual([...Array(sent).keys()]);
    expect(await ada.send(CHANNEL, "and one more")).toMatchObject({ ok: { offset: sent + 2 } });
  });

  it("filled by messages: the last one that fits is the last that is acknowledged, and a larger disk takes the rest", async () => {
    const disk = await SmallDisk.make("4m");
    const server = await start(disk);
    const page = await BarePage.open(server.url);
    const ada = await page.connect("ada");
    const bob = await page.connect("bob");
    await bob.subscribe(CHANNEL);
    const sends: ReturnType<PageClient["send"]>[] = [];
    let acked = 0;
    await until(
      "there is no space for more",
      async () => {
        // One at a time: each is acknowledged, or refused for now.
        if (acked === sends.length) {
          sends.push(ada.send(CHANNEL, { by: "ada", n: sends.length, LONG }));
          void sends.at(-1)?.then(() => acked++);
        }
        return isTold(ada);
      },
      { seen: () => ada.errors() },
    );
    const kept = acked;
    expect(kept).toBeGreaterThan(20);
    const full = await readiness(server);
    expect(full.code).toBe(503);
    expect(full.store.writable).toBe(false);
    expectContiguous(await bob.waitForEntries(CHANNEL, kept));
    const cy = await page.connect("cy");
    expect(await cy.subscribe(CHANNEL, { recent: 5 })).toHaveProperty("ok");
    await cy.waitForEntries(CHANNEL, 5);

    disk.resize("32m");
    await isReady(server);
    for (const send of sends) expect(await send).toHaveProperty("ok");
    const received = await bob.waitForEntries(CHANNEL, sends.length);
    expectContiguous(received);
    expect(numbersOf(received, "ada")).toEqual([...sends.keys()]);
  });

  it("killed while it is full: it does not start without space, says why, and has kept what it acknowledged", async () => {
    const disk = await SmallDisk.make("8m");
    const server = await start(disk);
    const ada = await (await BarePage.open(server.url)).connect("ada");
    await ada.subscribe(CHANNEL);
    await ada.sendMany(CHANNEL, 0, 40);
    await ada.waitForEntries(CHANNEL, 40);
    disk.fill();
    await server.kill();
    // A start may do with the space that the files have already. A crash of the machine leaves no index of the write-ahead log, and
    // that needs some.
    disk.remove("everwire.db-shm");
    disk.fill();
    await expect(server.start()).rejects.toThrow(/everwire\.db.*(full|disk|space)/i);
    await expect(server.start(), "and again").rejects.toThrow(/everwire\.db.*(full|disk|space)/i);
    disk.free();
    await server.start();
    await ada.sendMany(CHANNEL, 40, 5);
    const received = await ada.waitForEntries(CHANNEL, 45);
    expectContiguous(received);
    expect(numbersOf(received, "ada")).toEqual([...Array(45).keys()]);
    expect((await ada.events()).filter(({ event }) => event === "gap")).toEqual([]);
  });
});
