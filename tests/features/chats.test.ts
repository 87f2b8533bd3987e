// Chats: create, invite, join, leave, remove, rename; direct chats; roles; the list of active chats, kept up to date;
// switching between rooms.

import { expect, it } from "vitest";
import { everyTransport, type Person, Scene } from "../harness/scene";
import { until } from "../harness/until";

/** Ada's group with these members, who have all joined. Everybody's chat list is followed. */
async function group(title: string, ada: Person, ...others: Person[]): Promise<string> {
  for (const person of [ada, ...others]) await person.run((client) => createChat(client).chats.ready);
  const users = others.map(({ name }) => name);
  const id = await ada.run(async (client, all) => (await createChat(client).chats.create(all)).id, {
    title,
    users,
  });
  for (const other of others)
    await other.run(async (client, id) => void (await createChat(client).chats.join(id)), id);
  return id;
}

const titles = (person: Person) =>
  person.run((client) => createChat(client).chats.list.map(({ title }) => title));

/** Sends a message to a chat, and waits until it is stored. */
const say = (person: Person, chat: string, text: string) =>
  person.run(async (client, [chat, text]) => (await createChat(client).room(chat).send(text)).offset, [
    chat,
    text,
  ] as const);

/** Opens a chat. */
const open = (person: Person, chat: string) =>
  person.run((client, chat) => createChat(client).room(chat).open(), chat);

/** Waits until a chat shows this text as its last message. */
const shows = (person: Person, chat: string, text: string) =>
  person.waitFor(
    `“${text}”`,
    (client, [chat, text]) => createChat(client).room(chat).messages.rows.at(-1)?.data.text === text,
    [chat, text] as const,
  );

everyTransport(
  "a group is created, joined, declined, renamed and left, and every chat list follows",
  async (scene) => {
    const [ada, ben, cy] = await scene.all("ada", "ben", "cy");
    for (const person of [ada, ben, cy]) await person.run((client) => createChat(client).chats.ready);
    const id = await ada.run(
      async (client) => (await createChat(client).chats.create({ title: "Team", users: ["ben", "cy"] })).id,
    );
    for (const person of [ben, cy]) {
      const chat = await person.waitFor(
        "the invitation",
        (client, id) => createChat(client).chats.get(id),
        id,
      );
      expect([chat.title, chat.role, chat.unread, chat.last]).toEqual(["Team", "invited", 0, undefined]);
    }
    await scene.middle();
    const joined = await ben.run((client, id) => createChat(client).chats.join(id), id);
    expect(joined.role).toBe("member");
    await cy.run((client, id) => createChat(client).room(id).leave(), id);
    await cy.waitFor("no chat any more", (client, id) => createChat(client).chats.get(id) === undefined, id);
    await ada.run((client, id) => createChat(client).room(id).rename("Crew"), id);
    for (const person of [ada, ben]) {
      await person.waitFor(
        "the new title",
        (client, id) => createChat(client).chats.get(id)?.title === "Crew",
        id,
      );
      await person.waitFor(
        "two members",
        (client, id) => createChat(client).chats.get(id)?.members.length === 2,
        id,
      );
    }
    await open(ada, id);
    await ben.run((client, id) => createChat(client).room(id).leave(), id);
    await ada.waitFor(
      "that she is alone",
      (client, id) => createChat(client).chats.get(id)?.members.length === 1,
      id,
    );
    expect(await titles(ben)).toEqual([]);
    // Every change is an entry of the log, with its author.
    const changes = await ada.waitFor(
      "every change",
      (client, id) => {
        const rows = createChat(client)
          .room(id)
          .messages.rows.filter(({ event }) => event === "everwire.chat");
        const told = rows.map(
          ({ user, data }) => `${user} ${(data as unknown as { action: string }).action}`,
        );
        return told.at(-1) === "ben left" && told;
      },
      id,
    );
    expect(changes).toEqual([
      "ada created",
      "ada invited",
      "ada invited",
      "ben joined",
      "cy left",
      "ada renamed",
      "ben left",
    ]);
  },
);

everyTransport("a removed member receives and sends nothing any more", async (scene) => {
  const [ada, ben] = await scene.all("ada", "ben");
  const id = await group("Team", ada, ben);
  for (const person of [ada, ben]) await open(person, id);
  await ben.run((client, id) => {
    createChat(client)
      .room(id)
      .channel.on("error", ({ code }) => record("ended", code));
    createChat(client)
      .room(id)
      .channel.on("message", ({ data }) => record("received", data.text));
  }, id);
  await say(ada, id, "before");
  await shows(ben, id, "before");
  await scene.middle();
  await ada.run((client, id) => createChat(client).room(id).remove("ben"), id);
  await say(ada, id, "after");
  await until("Ben's subscription ends", async () => (await ben.records("ended")).length > 0);
  expect((await ben.records("ended")).map(({ value }) => value)).toEqual(["forbidden"]);
  await ben.waitFor("no chat any more", (client, id) => createChat(client).chats.get(id) === undefined, id);
  expect(await ben.errorCode((client, id) => createChat(client).room(id).send("I am still here"), id)).toBe(
    "forbidden",
  );
  expect(await ben.errorCode((client, id) => createChat(client).room(id).channel.history(), id)).toBe(
    "forbidden",
  );
  expect(await ben.errorCode((client, id) => createChat(client).room(id).open(), id)).toBe("forbidden");
  // Ben would have received "after" before anything that follows.
  await ben.run(async (client) => void (await client.channel("news").send("a sign")));
  expect((await ben.records("received")).map(({ value }) => value)).toEqual(["before"]);
  await ada.waitFor("nobody else there", (client, id) => createChat(client).room(id).here.length === 1, id);
});

it("two users who start a direct chat at the same time get the same one, and nobody else sees it", async () => {
  const scene = await Scene.open();
  const [ada, ben, cy] = await scene.all("ada", "ben", "cy");
  for (const person of [ada, ben, cy]) await person.run((client) => createChat(client).chats.ready);
  const [one, two] = await Promise.all([
    ada.run((client) => createChat(client).chats.direct("ben")),
    ben.run((client) => createChat(client).chats.direct("ada")),
  ]);
  expect(one.id).toBe(two.id);
  expect([one.kind, one.title, one.members.map(({ user }) => user).sort()]).toEqual([
    "direct",
    undefined,
    ["ada", "ben"],
  ]);
  for (const person of [ada, ben]) {
    await open(person, one.id);
    expect(await person.run((client) => createChat(client).chats.list.length)).toBe(1);
  }
  await say(ada, one.id, "hello");
  await shows(ben, one.id, "hello");
  expect(await cy.errorCode((client, id) => createChat(client).room(id).open(), one.id)).toBe("forbidden");
  expect(await cy.errorCode((client, id) => createChat(client).chats.join(id), one.id)).toMatch(
    /^(forbidden|not_found)$/,
  );
  expect(await titles(cy)).toEqual([]);
  // A direct chat has nobody to invite or remove, and no title to change.
  expect(await ada.errorCode((client, id) => createChat(client).room(id).invite("cy"), one.id)).toBe(
    "forbidden",
  );
  expect(await ada.errorCode((client, id) => createChat(client).room(id).rename("Ours"), one.id)).toBe(
    "forbidden",
  );
});

it("a role permits what it says and nothing more", async () => {
  const scene = await Scene.open();
  const [ada, ben, cy, dan] = await scene.all("ada", "ben", "cy", "dan");
  for (const person of [ada, ben, cy, dan]) await person.run((client) => createChat(client).chats.ready);
  const id = await ada.run(
    async (client) => (await createChat(client).chats.create({ title: "T", users: ["ben"] })).id,
  );
  // Invited users can only join or decline.
  expect(await ben.errorCode((client, id) => createChat(client).room(id).open(), id)).toBe("forbidden");
  expect(await ben.errorCode((client, id) => createChat(client).room(id).send("early"), id)).toBe(
    "forbidden",
  );
  expect(await cy.errorCode((client, id) => createChat(client).chats.join(id), id)).toMatch(
    /^(forbidden|not_found)$/,
  );
  await ben.run((client, id) => createChat(client).chats.join(id), id);
  // Members may invite, but not manage.
  await ben.run((client, id) => createChat(client).room(id).invite("dan"), id);
  await dan.run((client, id) => createChat(client).chats.join(id), id);
  expect(await ben.errorCode((client, id) => createChat(client).room(id).remove("ada"), id)).toBe(
    "forbidden",
  );
  expect(await ben.errorCode((client, id) => createChat(client).room(id).rename("Mine"), id)).toBe(
    "forbidden",
  );
  expect(await ben.errorCode((client, id) => createChat(client).room(id).setRole("ben", "owner"), id)).toBe(
    "forbidden",
  );
  expect(await ben.errorCode((client, id) => createChat(client).room(id).invite("cy", "owner"), id)).toBe(
    "forbidden",
  );
  // Read-only members can read.
  await ada.run((client, id) => createChat(client).room(id).invite("cy", "read_only"), id);
  await cy.run((client, id) => createChat(client).chats.join(id), id);
  await open(cy, id);
  await say(ben, id, "news");
  await shows(cy, id, "news");
  expect(await cy.errorCode((client, id) => createChat(client).room(id).send("a word"), id)).toBe(
    "forbidden",
  );
  expect(await cy.errorCode((client, id) => createChat(client).room(id).invite("ben"), id)).toBe("forbidden");
  // Owners set roles, and one owner remains.
  await ada.run((client, id) => createChat(client).room(id).setRole("cy", "member"), id);
  await say(cy, id, "a word");
  expect(
    await ada.errorCode((client, id) => createChat(client).room(id).setRole("ada", "member"), id),
  ).not.toBe("");
  // When the last owner leaves, the longest-standing member becomes the owner.
  await ada.run((client, id) => createChat(client).room(id).leave(), id);
  await ben.waitFor(
    "that he is the owner",
    (client, id) => createChat(client).chats.get(id)?.role === "owner",
    id,
  );
  await ben.run((client, id) => createChat(client).room(id).rename("Mine"), id);
  await dan.waitFor("the new title", (client, id) => createChat(client).chats.get(id)?.title === "Mine", id);
});

it("anybody joins a public chat, and nobody a private one", async () => {
  const scene = await Scene.open();
  const [ada, ben] = await scene.all("ada", "ben");
  const make = (open: boolean) =>
    ada.run(
      async (client, open) => (await createChat(client).chats.create({ title: "Hall", open })).id,
      open,
    );
  const [hall, club] = [await make(true), await make(false)];
  expect(await ben.run(async (client, id) => (await createChat(client).chats.join(id)).role, hall)).toBe(
    "member",
  );
  await say(ben, hall, "hello");
  const refused = await ben.errorCode((client, id) => createChat(client).chats.join(id), club);
  const none = await ben.errorCode((client) =>
    createChat(client).chats.join("0199a1b2-c3d4-7000-8000-00000000ffff"),
  );
  // Nobody else learns that such a chat exists.
  expect([refused, none]).toEqual(["not_found", "not_found"]);
});

everyTransport("active chats have their last message, unread count and the others' status", async (scene) => {
  const [ada, ben] = await scene.all("ada", "ben");
  const quiet = await group("Quiet", ada, ben);
  const busy = await group("Busy", ada, ben);
  const list = () =>
    ben.run((client) =>
      createChat(client).chats.list.map(({ id, title, unread, last, members }) => {
        const ada = members.find(({ user }) => user === "ada");
        return { id, title, unread, last: last?.data, status: ada?.status };
      }),
    );
  await say(ada, quiet, "one");
  await ben.waitFor("it", (client, id) => createChat(client).chats.get(id)?.unread === 1, quiet);
  expect(await list()).toMatchObject([
    { title: "Quiet", unread: 1, last: { text: "one" }, status: "online" },
    { title: "Busy", unread: 0, status: "online" },
  ]);
  await say(ada, busy, "two");
  await scene.middle();
  await say(ada, busy, "three");
  await ben.waitFor("both", (client, id) => createChat(client).chats.get(id)?.unread === 2, busy);
  expect(await list()).toMatchObject([
    { title: "Busy", unread: 2, last: { text: "three" }, status: "online" },
    { title: "Quiet", unread: 1, last: { text: "one" }, status: "online" },
  ]);
  expect(await ben.run((client) => createChat(client).chats.unread)).toBe(3);
  // Neither own nor read messages are unread, on every device.
  await open(ben, busy);
  await shows(ben, busy, "three");
  await ben.run((client, id) => createChat(client).room(id).markRead(), busy);
  const phone = await scene.enter("ben");
  await phone.run((client) => createChat(client).chats.ready);
  for (const device of [ben, phone]) {
    await device.waitFor(
      "that it is read",
      (client, id) => createChat(client).chats.get(id)?.unread === 0,
      busy,
    );
    expect(await device.run((client) => createChat(client).chats.unread)).toBe(1);
  }
  await say(ben, busy, "four");
  await ada.waitFor("one unread", (client, id) => createChat(client).chats.get(id)?.unread === 1, busy);
  expect(await phone.run((client) => createChat(client).chats.unread)).toBe(1);
  await ada.run((client) => client.setStatus("away"));
  for (const device of [ben, phone]) {
    await device.waitFor(
      "that Ada is away",
      (client, id) =>
        createChat(client)
          .chats.get(id)
          ?.members.find(({ user }) => user === "ada")?.status === "away",
      busy,
    );
  }
});

everyTransport("switching rooms keeps the log subscription and ends presence and typing", async (scene) => {
  const [ada, ben] = await scene.all("ada", "ben");
  const [red, blue] = [await group("Red", ada, ben), await group("Blue", ada, ben)];
  const here = (person: Person, chat: string, users: string[]) =>
    person.waitFor(
      `${users} in the room`,
      (client, [chat, users]) => {
        const here = createChat(client)
          .room(chat)
          .here.map(({ user }) => user);
        return here.sort().join() === users.join();
      },
      [chat, users] as const,
    );
  await open(ada, red);
  await open(ada, blue);
  await open(ben, red);
  await here(ada, red, ["ada", "ben"]);
  // Ben switches to the other room: he is present there and no longer here, and still receives messages of the first
  // one.
  await ben.run((client, chat) => createChat(client).room(chat).close(), red);
  await open(ben, blue);
  await here(ada, red, ["ada"]);
  await here(ada, blue, ["ada", "ben"]);
  await scene.middle();
  await say(ada, red, "are you there?");
  await shows(ben, red, "are you there?");
  await here(ada, blue, ["ada", "ben"]);
  // He leaves it permanently: nothing arrives any more, and on return he gets what he missed.
  await ben.run((client, chat) => createChat(client).room(chat).close({ keep: false }), blue);
  await here(ada, blue, ["ada"]);
  await say(ada, blue, "gone?");
  await ben.waitFor("it in his list", (client, id) => createChat(client).chats.get(id)?.unread === 1, blue);
  expect(await ben.run((client, id) => createChat(client).room(id).channel.subscription, blue)).toBe("none");
  expect(
    await ben.run((client, id) => createChat(client).room(id).messages.rows.at(-1)?.data.text, blue),
  ).not.toBe("gone?");
  await open(ben, blue);
  await shows(ben, blue, "gone?");
});
