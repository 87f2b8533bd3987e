// kill -9 under load, repeatedly on the same database: every acked message is stored once, at the offset of its ack,
// and clients observe nothing but a short reconnect. EVERWIRE_KILLS sets how often.

import { expect, it, onTestFinished } from "vitest";
import { BarePage, expectContiguous, type PageClient } from "../harness/bare";
import { figure } from "../harness/figures";
import { ProtocolClient } from "../harness/protocol-client";
import { between, random } from "../harness/random";
import { PAGES, Server } from "../harness/server";
import { until } from "../harness/until";
import { Writer } from "./writer";

const KILLS = Number(process.env.EVERWIRE_KILLS ?? 50);
const CHANNEL = "private-durable";

it(`survives ${KILLS} times kill -9 under load`, { timeout: 60_000 + KILLS * 10_000 }, async () => {
  const server = await Server.start({ serveDir: PAGES, args: ["--replay-limit", "1000000"] });
  const watcher = await (await BarePage.open(server.url)).connect("watcher");
  await watcher.subscribe(CHANNEL);
  const writers = ["one", "two"].map((name) => new Writer(server.url, name, CHANNEL));
  onTestFinished(() => {
    for (const writer of writers) writer.end();
  });
  const acks = () => writers.reduce((sum, { acked }) => sum + acked.size, 0);
  const next = random("kills");
  const start = Date.now();

  for (let kill = 0; kill < KILLS; kill++) {
    // At any moment of its life, including the first ones.
    const enough = acks() + between(next, 0, 150);
    await until("it has acknowledged some", () => acks() >= enough, {
      seen: () => [acks(), ...writers.map(({ errors }) => errors.slice(-3))],
    });
    await server.kill();
    await server.start();
  }
  for (const writer of writers) writer.finish();
  await until("everything is acknowledged", () => writers.every(({ allAcked }) => allAcked));
  figure(`${KILLS} times kill -9, acks in all`, acks(), "acks");
  figure(`${KILLS} times kill -9`, Date.now() - start, "ms");

  // The log, as a new subscriber reads it.
  const log = await readLog(server);
  expect(log.length).toBe(writers.reduce((sum, { sent }) => sum + sent.length, 0));
  expect(log.map(({ offset }) => offset)).toEqual(log.map((_, at) => at + 1));
  for (const { acked, sent, errors } of writers) {
    expect(errors).toEqual([]);
    expect([...acked].filter(([id, offset]) => log[offset - 1]?.id !== id)).toEqual([]);
    const mine = new Set(sent);
    expect(log.filter(({ id }) => mine.has(id)).map(({ id }) => id)).toEqual(sent);
  }

  await checkWatcher(watcher, log);
});

interface Entry {
  readonly id: string;
  readonly offset: number;
}

async function readLog(server: Server): Promise<Entry[]> {
  const reader = await ProtocolClient.join(server.url, "reader");
  reader.send({ type: "subscribe", channel: CHANNEL });
  const { epoch, head } = await reader.waitForFrame("subscribed");
  reader.send({ type: "unsubscribe", channel: CHANNEL });
  await reader.waitForFrame("unsubscribed");
  reader.send({ type: "subscribe", channel: CHANNEL, epoch, offset: 0 });
  await reader.waitForFrame("message", { offset: head });
  return reader.frames
    .filter(({ type }) => type === "message")
    .map(({ id, offset }) => ({ id: String(id), offset: Number(offset) }));
}

/** The page received the whole log, and observed nothing but reconnects. */
async function checkWatcher(watcher: PageClient, log: readonly Entry[]): Promise<void> {
  const received = await watcher.waitForEntries(CHANNEL, log.length, 60_000);
  expectContiguous(received);
  expect(received.map(({ id }) => id)).toEqual(log.map(({ id }) => id));
  const events = (await watcher.events()).filter(({ event }) => event !== "subscribed");
  expect(events).toEqual([]);
  expect((await watcher.states()).filter(({ code }) => code)).toEqual([]);
}
