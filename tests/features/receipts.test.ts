// Receipts: how far each member has received and read a chat, as high-water marks; the resulting state of each message;
// batched; unread counts that agree on all devices.

import { expect, it } from "vitest";
import { ProtocolClient } from "../harness/protocol-client";
import { everyTransport, type Person, Scene } from "../harness/scene";
import { until } from "../harness/until";

async function group(ada: Person, ...others: Person[]): Promise<string> {
  const users = others.map(({ name }) => name);
  const id = await ada.run(
    async (client, users) => (await createChat(client).chats.create({ title: "T", users })).id,
    users,
  );
  for (const other of others)
    await other.run(async (client, id) => void (await createChat(client).chats.join(id)), id);
  for (const person of [ada, ...others])
    await person.run((client, id) => createChat(client).room(id).open(), id);
  return id;
}

const say = (person: Person, chat: string, text: string) =>
  person.run(async (client, [chat, text]) => await createChat(client).room(chat).send(text), [
    chat,
    text,
  ] as const);

/** Waits until an own message is delivered to and read by the given numbers of members. */
const counts = (person: Person, chat: string, message: string, delivered: number, read: number) =>
  person.waitFor(
    `that it is delivered to ${delivered} and read by ${read}`,
    (client, [chat, id, delivered, read]) => {
      const row = createChat(client)
        .room(chat)
        .messages.rows.find((row) => row.id === id);
      return row?.deliveredTo === delivered && row.readBy === read;
    },
    [chat, message, delivered, read] as const,
  );

const has = (person: Person, chat: string, message: string) =>
  person.waitFor(
    "the message",
    (client, [chat, id]) =>
      createChat(client)
        .room(chat)
        .messages.rows.some((row) => row.id === id),
    [chat, message] as const,
  );

everyTransport("a message is sending, stored, delivered to N and read by N", async (scene) => {
  const [ada, ben, cy] = await scene.all("ada", "ben", "cy");
  const chat = await group(ada, ben, cy);
  await ada.run((client, chat) => {
    createChat(client)
      .room(chat)
      .channel.on("sending", ({ status }) => record("sending", status));
  }, chat);
  const first = await say(ada, chat, "one");
  expect((await ada.records("sending")).map(({ value }) => value)).toEqual(["queued", "sent", "stored"]);
  await counts(ada, chat, first.id, 2, 0);
  await has(ben, chat, first.id);
  await ben.run((client, [chat, id]) => createChat(client).room(chat).markRead(id), [
    chat,
    first.id,
  ] as const);
  await counts(ada, chat, first.id, 2, 1);
  const second = await say(ada, chat, "two");
  await has(cy, chat, second.id);
  await scene.middle(async () => {
    // What is read while offline is reported after the reconnect.
    await cy.run((client, chat) => createChat(client).room(chat).markRead(), chat);
  });
  await counts(ada, chat, first.id, 2, 2);
  await counts(ada, chat, second.id, 2, 1);
  // Ada's own messages count the others only, and receipts never fall.
  await cy.run((client, chat) => createChat(client).room(chat).markRead(1), chat);
  await ben.run((client, chat) => createChat(client).room(chat).markRead(), chat);
  await counts(ada, chat, second.id, 2, 2);
  await counts(ada, chat, first.id, 2, 2);
});

everyTransport("unread counts drop on every device when one of them reads", async (scene) => {
  const [ada, ben] = await scene.all("ada", "ben");
  const phone = await scene.enter("ben");
  const chat = await group(ada, ben);
  for (const device of [ben, phone]) await device.run((client) => createChat(client).chats.ready);
  for (const text of ["one", "two", "three"]) await say(ada, chat, text);
  const unread = (device: Person, count: number) =>
    device.waitFor(
      `${count} unread`,
      (client, [chat, count]) => createChat(client).chats.get(chat)?.unread === count,
      [chat, count] as const,
    );
  for (const device of [ben, phone]) await unread(device, 3);
  await scene.middle();
  await ben.run(
    (client, chat) =>
      createChat(client).room(chat).markRead(createChat(client).room(chat).messages.rows.at(-2)?.id),
    chat,
  );
  for (const device of [ben, phone]) await unread(device, 1);
  // Own messages are not unread, and an edit is not a message.
  const own = await say(ben, chat, "mine");
  await ben.run((client, [chat, id]) => createChat(client).room(chat).edit(id, "mine!"), [
    chat,
    own.id,
  ] as const);
  await phone.waitFor("it", (client, chat) => createChat(client).chats.get(chat)?.unread === 1, chat);
  await ben.run((client, chat) => createChat(client).room(chat).markRead(), chat);
  for (const device of [ben, phone]) await unread(device, 0);
});

it("many messages make few receipts", async () => {
  const scene = await Scene.open();
  const [ada, ben] = await scene.all("ada", "ben");
  const chat = await group(ada, ben);
  // An independent client listens as Ada, and records every frame.
  const client = await ProtocolClient.join(scene.server.url, "ada");
  client.send({ type: "subscribe", channel: `private-chat.${chat}` });
  await client.waitForFrame("subscribed");
  const head = await ada.run(async (client, chat) => {
    const sends = Array.from({ length: 100 }, (_, n) => createChat(client).room(chat).send(`message ${n}`));
    return Math.max(...(await Promise.all(sends)).map(({ offset }) => offset));
  }, chat);
  const of = () => client.frames.filter(({ type, user }) => type === "receipt" && user === "ben");
  await until("Ben's receipt is at the end", () => of().at(-1)?.delivered === head, { seen: of });
  // One per second: a hundred messages take less than a few seconds.
  expect(of().length).toBeLessThanOrEqual(10);
  const marks = of().map(({ delivered }) => delivered as number);
  expect(marks).toEqual([...marks].sort((a, b) => a - b));
});

it("outside of chats, a channel keeps a user's own receipts only, for their own devices", async () => {
  const scene = await Scene.open();
  const [ada, ben] = await scene.all("ada", "ben");
  const phone = await scene.enter("ada");
  for (const person of [ada, ben, phone])
    await person.run((client) => client.channel("private-list").subscribe());
  await ben.run(async (client) => void (await client.channel("private-list").send({ text: "one" })));
  await ada.waitFor("it", (client) => client.channel("private-list").position?.offset === 1);
  await ada.run((client) => client.channel("private-list").markRead());
  await phone.waitFor(
    "that it is read",
    (client) => client.channel("private-list").receipts.get("ada")?.read === 1,
  );
  expect(await ben.run((client) => [...client.channel("private-list").receipts.keys()])).not.toContain("ada");
});
