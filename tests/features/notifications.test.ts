// Notifications, data updates, status updates and user activity: durable or not; to a user, a chat, one connection or
// everyone; kept for users who are offline and delivered once, with unread counts.

import { expect, it } from "vitest";
import { Api } from "../harness/api";
import { everyTransport, type Person, Scene } from "../harness/scene";

const KEY = "the key of these tests";
const WITH_KEY = { env: { EVERWIRE_API_KEY: KEY } };

const notify = (api: Api, to: unknown, title: string) =>
  api.call("publish", {
    body: { to, event: "notification", data: { title, message: `${title}.`, priority: "high" } },
  });

/** Follows the notifications, and records each one. */
const follow = (person: Person) =>
  person.run((client) => {
    createChat(client).notifications.on("notification", ({ data }) => record("came", data.title));
  });

const came = async (person: Person) => (await person.records("came")).map(({ value }) => value);

const unread = (person: Person, count: number) =>
  person.waitFor(
    `${count} unread`,
    (client, count) =>
      createChat(client).notifications.unread === count &&
      createChat(client).notifications.list.length >= count,
    count,
  );

everyTransport(
  "a notification reaches a user once, even after being offline, and is read on every device",
  async (scene) => {
    const api = await Api.with(scene.server.url, KEY);
    const [ada, ben] = await scene.all("ada", "ben");
    for (const person of [ada, ben]) await follow(person);
    await ben.waitFor(
      "nothing yet",
      (client) => client.channel("private-user.ben").subscription === "subscribed",
    );
    await ada.waitFor(
      "nothing yet",
      (client) => client.channel("private-user.ada").subscription === "subscribed",
    );
    await notify(api, { user: "ben" }, "First");
    await unread(ben, 1);
    await ben.run((client) => createChat(client).notifications.markRead());
    await unread(ben, 0);
    await ben.waitFor(
      "that it is known",
      (client) => (client.channel("private-user.ben").receipts.get("ben")?.read ?? 0) > 0,
    );
    await scene.middle();
    await scene.leave(ben);
    await notify(api, { user: "ben" }, "Second");
    await notify(api, { user: "ben" }, "Third");
    const again = await scene.enter("ben");
    await follow(again);
    const list = await again.waitFor("all three", (client) => {
      const { list } = createChat(client).notifications;
      return list.length === 3 && list.map(({ data, read }) => `${data.title} ${read}`);
    });
    expect(list).toEqual(["Third false", "Second false", "First true"]);
    expect(await came(again)).toEqual(["Second", "Third"]);
    await again.run((client) => createChat(client).notifications.markRead());
    // What was delivered is not delivered again, and what was read is read on the next device.
    await again.waitFor(
      "that it is known",
      (client) => (client.channel("private-user.ben").receipts.get("ben")?.read ?? 0) >= 3,
    );
    const phone = await scene.enter("ben");
    await follow(phone);
    await phone.waitFor("all three", (client) => createChat(client).notifications.list.length === 3);
    await unread(phone, 0);
    expect(await came(phone)).toEqual([]);
    expect(await came(ada)).toEqual([]);
  },
  WITH_KEY,
);

everyTransport(
  "everyone is notified once, with or without a subscription",
  async (scene) => {
    const api = await Api.with(scene.server.url, KEY);
    const [ada, ben] = await scene.all("ada", "ben");
    for (const person of [ada, ben]) await follow(person);
    for (const person of [ada, ben])
      await person.waitFor(
        "the channel",
        (client) => client.channel("everyone").subscription === "subscribed",
      );
    await notify(api, "everyone", "One");
    await scene.middle();
    await notify(api, "everyone", "Two");
    for (const person of [ada, ben]) {
      await unread(person, 2);
      expect(await came(person)).toEqual(["One", "Two"]);
    }
    // Only back ends can address everyone.
    expect(await ada.errorCode((client) => client.channel("everyone").send("hello"))).toBe("forbidden");
  },
  WITH_KEY,
);

it("data, status and activity are durable or not, as the sender chooses", async () => {
  const scene = await Scene.open("over WebSocket", WITH_KEY);
  const api = await Api.with(scene.server.url, KEY);
  const [ada, ben] = await scene.all("ada", "ben");
  await ada.run(async (client) => {
    const board = client.channel("board");
    board.on("event:data_update", ({ data }) => record("stored", `${data.entity} ${data.action}`));
    board.on("event:status_update", ({ data }) => record("stored", `${data.system} ${data.status}`));
    board.on("event:user_activity", ({ data }) => record("stored", `${data.user} ${data.activity}`));
    board.on("signal:user_activity", ({ data, user }) => record("signal", `${data.activity} by ${user}`));
    board.on("signal:data_update", ({ data, user }) => record("signal", `${data.entity} by ${user}`));
    await board.subscribe();
  });
  const publish = (event: string, data: unknown, durable?: boolean) =>
    api.call("publish", {
      body: { to: { channel: "board" }, event, data, ...(durable !== undefined && { durable }) },
    });
  await publish("data_update", { entity: "order", action: "updated", data: { id: 7 } });
  await publish("status_update", { system: "payments", status: "down", message: "Back at noon." });
  expect(
    (await publish("data_update", { entity: "price", action: "updated", data: 3 }, false)).receivers,
  ).toBe(1);
  await ben.run(async (client) => {
    const board = client.channel("board");
    await board.send({ user: "ben", activity: "reading" }, { event: "user_activity" });
    board.signal("user_activity", { user: "ben", activity: "typing" });
  });
  await ada.waitFor(
    "all of it",
    () => window.people.records("stored").length + window.people.records("signal").length === 5,
  );
  const values = async (name: string) => (await ada.records(name)).map(({ value }) => value);
  expect(await values("stored")).toEqual(["order updated", "payments down", "ben reading"]);
  expect(await values("signal")).toEqual(["price by undefined", "typing by ben"]);
  // What was not stored is gone for new clients; the rest is in the log.
  const log = await ben.run(async (client) =>
    (await client.channel("board").history()).messages.map(({ event }) => event),
  );
  expect(log).toEqual(["data_update", "status_update", "user_activity"]);
});

it("one connection is addressed, and no other of the same user", async () => {
  const scene = await Scene.open("over WebSocket", WITH_KEY);
  const api = await Api.with(scene.server.url, KEY);
  const ada = await scene.enter("ada");
  const phone = await scene.enter("ada");
  for (const device of [ada, phone])
    await device.run((client) => client.on("signal", ({ event, data }) => record("told", [event, data])));
  const body = {
    to: { connection: await phone.connection() },
    event: "notification",
    data: { title: "Hello", message: "You are here." },
  };
  expect((await api.call("publish", { body })).receivers).toBe(1);
  await phone.waitFor("it", () => window.people.records("told").length === 1);
  expect((await phone.records("told"))[0]?.value).toEqual(["notification", body.data]);
  // Members of a channel can do the same without a back end.
  for (const device of [ada, phone]) {
    await device.run(async (client) => {
      client.channel("private-desk").on("signal:wave", ({ data, from }) => record("wave", [data, from]));
      await client.channel("private-desk").subscribe();
    });
  }
  const from = await ada.connection();
  const to = await phone.connection();
  expect(await ada.run((client, to) => client.channel("private-desk").signal("wave", 1, { to }), to)).toBe(
    true,
  );
  await phone.waitFor("it", () => window.people.records("wave").length === 1);
  expect((await phone.records("wave"))[0]?.value).toEqual([1, from]);
  await phone.run((client) => client.channel("private-desk").signal("wave", 2));
  await ada.waitFor("the other", () => window.people.records("wave").length === 1);
  expect((await ada.records("wave"))[0]?.value).toEqual([2, to]);
  expect(await ada.records("told")).toEqual([]);
});

it("a back end publishes to a chat, and a repetition with the same key is published once", async () => {
  const scene = await Scene.open("over WebSocket", WITH_KEY);
  const api = await Api.with(scene.server.url, KEY);
  const [ada, ben] = await scene.all("ada", "ben");
  const chat = await ada.run(async (client) => (await createChat(client).chats.direct("ben")).id);
  for (const person of [ada, ben])
    await person.run((client, chat) => createChat(client).room(chat).open(), chat);
  const given = {
    parameters: { "Idempotency-Key": "order 7 shipped" },
    body: { to: { chat }, data: { text: "Order 7 is on its way." }, user: "shop", name: "The shop" },
  };
  const one = await api.call("publish", given);
  const two = await api.call("publish", given);
  expect([two.id, two.offset]).toEqual([one.id, one.offset]);
  await ben.run(async (client, chat) => void (await createChat(client).room(chat).send("thanks")), chat);
  for (const person of [ada, ben]) {
    const rows = await person.waitFor(
      "both",
      (client, chat) => {
        const rows = createChat(client)
          .room(chat)
          .messages.rows.filter(({ event }) => event === undefined);
        return rows.length >= 2 && rows.map(({ user, data }) => `${user}: ${data.text}`);
      },
      chat,
    );
    expect(rows).toEqual(["shop: Order 7 is on its way.", "ben: thanks"]);
  }
});
