// Messages: text, custom payloads, replies, edits and deletions, all in one log.

import type { StandardEvents } from "everwire";
import { expect, it } from "vitest";
import { everyTransport, type Person, Scene } from "../harness/scene";
import { until } from "../harness/until";

/** The contents of a list in short form: the text, what was done to it, and what it replies to. */
const shown = (person: Person, channel: string) =>
  person.run(
    (client, channel) =>
      window.people.list(client, channel).rows.map(({ data, edited, deleted, replyTo, user }) => {
        const text = deleted ? "–" : String((data as { text?: string }).text);
        return `${user}: ${text}${edited ? " (edited)" : ""}${replyTo ? " (reply)" : ""}`;
      }),
    channel,
  );

async function chat(ada: Person, ben: Person): Promise<string> {
  const channel = await ada.run(
    async (client) => `private-chat.${(await createChat(client).chats.direct("ben")).id}`,
  );
  for (const person of [ada, ben]) {
    await person.run(async (client, channel) => {
      window.people.list(client, channel);
      await client.channel(channel).subscribe({ recent: 100 });
    }, channel);
  }
  return channel;
}

const send = (person: Person, channel: string, text: string, replyTo?: string) =>
  person.run(
    async (client, [channel, text, replyTo]) =>
      (await client.channel(channel).send({ text }, { replyTo })).id,
    [channel, text, replyTo] as const,
  );

everyTransport("texts, replies, edits and deletions look the same to everybody", async (scene) => {
  const [ada, ben] = await scene.all("ada", "ben");
  const channel = await chat(ada, ben);
  const first = await send(ada, channel, "helo");
  const second = await send(ben, channel, "what?", first);
  await scene.middle(async () => {
    // Queued while nobody is connected, in the variants where that is so: sent automatically, in this order.
    await ada.run(
      (client, [channel, first]) => {
        void client.channel(channel).edit(first, { text: "hello" });
        void client.channel(channel).send({ text: "better" });
      },
      [channel, first] as const,
    );
    await ben.run((client, [channel, second]) => void client.channel(channel).delete(second), [
      channel,
      second,
    ] as const);
  });
  await send(ben, channel, "much", first);
  for (const person of [ada, ben]) {
    await person.waitFor(
      "everything",
      (client, channel) => {
        const { rows } = window.people.list(client, channel);
        const texts = rows.map(({ data }) => (data as { text?: string } | null)?.text);
        return (
          texts.includes("better") && texts.includes("much") && texts.includes("hello") && rows[1]?.deleted
        );
      },
      channel,
    );
  }
  const rows = await shown(ada, channel);
  expect(await shown(ben, channel)).toEqual(rows);
  expect(rows.slice(0, 2)).toEqual(["ada: hello (edited)", "ben: – (reply)"]);
  expect(rows.slice(2).sort()).toEqual(["ada: better", "ben: much (reply)"]);
  // New clients see the result, and the log has every step.
  const phone = await scene.enter("ben");
  await phone.run(async (client, channel) => {
    window.people.list(client, channel);
    await client.channel(channel).subscribe({ recent: 100 });
  }, channel);
  await phone.waitFor(
    "it all",
    (client, channel) => window.people.list(client, channel).rows.length === 4,
    channel,
  );
  expect(await shown(phone, channel)).toEqual(rows);
  const log = await phone.run(
    async (client, channel) => (await client.channel(channel).history()).messages,
    channel,
  );
  const actions = log.filter(({ event }) => !event).map(({ action }) => action ?? "send");
  expect(actions.sort()).toEqual(["delete", "edit", "reply", "reply", "send", "send"]);
});

it("own edits and deletions show at once, even offline, and are reverted if they are refused", async () => {
  const scene = await Scene.open();
  const [ada, ben] = await scene.all("ada", "ben");
  const channel = await chat(ada, ben);
  const [first, second] = [await send(ada, channel, "helo"), await send(ada, channel, "oops")];
  const his = await send(ben, channel, "his");
  const look = (person: Person) =>
    person.run(
      (client, channel) =>
        window.people.list(client, channel).rows.map(({ data, deleted, status }) => {
          return `${deleted ? "–" : (data as { text: string }).text} ${status}`;
        }),
      channel,
    );
  await until("ada has all three", async () => (await look(ada)).length === 3);
  await scene.server.kill();
  await ada.run(
    (client, [channel, first, second, his]) => {
      void client.channel(channel).edit(first, { text: "hello" });
      void client.channel(channel).delete(second);
      // Not her message: the server will refuse it.
      client
        .channel(channel)
        .edit(his, { text: "hers" })
        .catch(() => undefined);
    },
    [channel, first, second, his] as const,
  );
  const waiting = (await look(ada)).map((row) => row.replace(" sent", " queued"));
  expect(waiting).toEqual(["hello queued", "– queued", "hers queued"]);
  expect(await look(ben)).toEqual(["helo stored", "oops stored", "his stored"]);
  await scene.server.start();
  for (const person of [ada, ben]) {
    await until(
      `${person.name} sees what is stored`,
      async () => (await look(person)).join() === "hello stored,– stored,his stored",
      { seen: () => look(person) },
    );
  }
});

it("only authors edit and delete a message; the owner of a group deletes any", async () => {
  const scene = await Scene.open();
  const [ada, ben] = await scene.all("ada", "ben");
  const id = await ada.run(
    async (client) => (await createChat(client).chats.create({ title: "T", users: ["ben"] })).id,
  );
  await ben.run((client, id) => createChat(client).chats.join(id), id);
  const channel = `private-chat.${id}`;
  const [hers, his] = [await send(ada, channel, "hers"), await send(ben, channel, "his")];
  const edit = (person: Person, message: string) =>
    person.errorCode((client, [channel, id]) => client.channel(channel).edit(id, "x"), [
      channel,
      message,
    ] as const);
  const remove = (person: Person, message: string) =>
    person.errorCode((client, [channel, id]) => client.channel(channel).delete(id), [
      channel,
      message,
    ] as const);
  expect(await edit(ben, hers)).toBe("forbidden");
  expect(await remove(ben, hers)).toBe("forbidden");
  expect(await edit(ada, his)).toBe("forbidden");
  expect(await remove(ada, his)).toBe("");
  expect(await edit(ben, his)).toBe("not_found");
  expect(await remove(ben, "0199a1b2-c3d4-7000-8000-00000000ffff")).toBe("not_found");
  // A refusal does not hold up later messages.
  expect(await send(ben, channel, "still here")).not.toBe("");
});

it("custom event types are passed through unchanged, by name", async () => {
  const scene = await Scene.open();
  const [ada, ben] = await scene.all("ada", "ben");
  await ben.run(async (client) => {
    interface Orders {
      message: string;
      shipped: { order: number; parcels: string[] };
      cancelled: { order: number };
    }
    const orders = client.channel<Orders>("orders");
    orders.on("message", ({ data }) => record("received", data.toUpperCase()));
    orders.on("event:shipped", ({ data }) => record("received", data.parcels.join("+") + data.order));
    orders.on("event:cancelled", ({ data }) => record("received", data.order));
    orders.on("event", (event) => record("any", event.event));
    await orders.subscribe();
  });
  await ada.run(async (client) => {
    const orders = client.channel<{
      message: string;
      shipped: { order: number; parcels: string[] };
      cancelled: { order: number };
    }>("orders");
    await orders.send("three orders");
    await orders.send({ order: 7, parcels: ["a", "b"] }, { event: "shipped" });
    await orders.send({ order: 8 }, { event: "cancelled" });
  });
  const received = await ben.waitFor("all three", () => {
    const all = window.people.records("received");
    return all.length === 3 && all;
  });
  expect(received.map(({ value }) => value)).toEqual(["THREE ORDERS", "a+b7", 8]);
  expect((await ben.records("any")).map(({ value }) => value)).toEqual(["shipped", "cancelled"]);
});

it("a well-known event is refused if its data does not fit", async () => {
  const scene = await Scene.open();
  const ada = await scene.enter("ada");
  const wrong = { title: "Without a message" } as StandardEvents["notification"];
  const refused = (event: "notification" | "data_update" | "everwire.chat", data: unknown) =>
    ada.run(
      (client, [event, data]) =>
        client
          .channel("news")
          // The types would not allow this.
          .send(data as never, { event })
          .then(
            () => "",
            ({ code, message }) => `${code}: ${message}`,
          ),
      [event, data] as const,
    );
  expect(await refused("notification", wrong)).toMatch(/^invalid_payload: .*message/);
  expect(await refused("data_update", { entity: "order" })).toMatch(/^invalid_payload: .*(action|data)/);
  expect(await refused("everwire.chat", { action: "created" })).toMatch(/^forbidden/);
  expect(await refused("notification", { title: "T", message: "M" })).toBe("");
});
