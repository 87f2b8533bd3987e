// Lists that are longer than a frame: they arrive in pages, and what was removed during an outage is noticed wherever it is.

import { expect } from "vitest";
import { Api } from "../harness/api";
import { everyTransport, type Person } from "../harness/scene";
import { makeToken, SECRET } from "../harness/tokens";

const KEY = "the key of these tests";
const OPTIONS = {
  secret: SECRET,
  env: { EVERWIRE_API_KEY: KEY },
  variants: ["over WebSocket", "by polling"] as const,
};
const people = (count: number) => Array.from({ length: count }, (_, n) => `user-${n}`);

/** Waits until all chats are listed: so many. */
const lists = (person: Person, count: number) =>
  person.waitFor(
    `${count} chats`,
    (client, count) => {
      const { chats } = createChat(client);
      return chats.complete && chats.list.length === count;
    },
    count,
  );

everyTransport(
  "a chat that is not among the latest is removed while its member is away, and disappears",
  async (scene) => {
    const api = await Api.with(scene.server.url, KEY);
    const ids: string[] = [];
    for (let n = 0; n < 130; n++) {
      const users = [{ user: "ada", role: "owner" }, ...people(3).map((user) => ({ user }))];
      const body = { kind: "group", title: `Chat ${n}`, open: false, users };
      ids.push((await api.call("createChat", { body })).id);
    }
    const ada = await scene.enter("ada", { token: makeToken("ada") });
    await lists(ada, 130);
    // The 120th of the latest.
    const gone = ids[10] as string;
    scene.proxy.swallow({ alsoNew: true });
    await api.call("removeMember", { parameters: { chat: gone, user: "ada" } });
    scene.proxy.lift();
    scene.proxy.reset();
    await lists(ada, 129);
    expect(await ada.run((client, gone) => createChat(client).chats.get(gone), gone)).toBeUndefined();
  },
  OPTIONS,
);

everyTransport(
  "the last member of a large group sees all members, and clears the badge",
  async (scene) => {
    const api = await Api.with(scene.server.url, KEY);
    const { id } = await api.call("createChat", {
      body: { kind: "group", title: "All", open: false, users: people(100).map((user) => ({ user })) },
    });
    for (const user of [...people(120).slice(100), "zoe"])
      await api.call("addMember", { parameters: { chat: id, user }, body: {} });
    const body = { to: { chat: id }, data: { text: "hello" }, user: "user-0" };
    await api.call("publish", { body });
    const zoe = await scene.enter("zoe", { token: makeToken("zoe") });
    const seen = await zoe.waitFor("the chat", (client, id) => createChat(client).chats.get(id), id);
    expect([seen.unread, seen.read, seen.memberCount, seen.members.length]).toEqual([1, 0, 121, 100]);
    await zoe.run((client, id) => createChat(client).room(id).open(), id);
    await zoe.waitFor(
      "all members",
      (client, id) => createChat(client).room(id).info?.members.length === 121,
      id,
    );
    await zoe.run((client, id) => createChat(client).room(id).markRead(), id);
    await zoe.waitFor("no badge", (client, id) => createChat(client).room(id).info?.unread === 0, id);
    await api.call("removeMember", { parameters: { chat: id, user: "user-110" } });
    await zoe.waitFor(
      "one less",
      (client, id) => {
        const { info } = createChat(client).room(id);
        return info?.members.length === 120 && !info.members.some(({ user }) => user === "user-110");
      },
      id,
    );
  },
  OPTIONS,
);
