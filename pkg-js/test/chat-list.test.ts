// The list of chats and the chats themselves: what the server says of them, and what their own channels add.

import { describe, expect, it, vi } from "vitest";
import type { Chat } from "../src/chat/chat.js";
import { createChat } from "../src/chat/chat-client.js";
import { message, running } from "./scripted-core.js";

const chat = (id: string, at: number, more: object = {}) => ({
  id,
  kind: "group",
  title: `Chat ${id}`,
  open: false,
  role: "member",
  members: [
    { user: "me", role: "member", status: "online", delivered: 0, read: 0 },
    { user: "ann", role: "owner", status: "offline", last_seen: 5, delivered: 0, read: 0 },
  ],
  member_count: 2,
  head: 10,
  unread: 0,
  at,
  ...more,
});

const place = { channel: "private-user.me", epoch: "e", offset: 0, head: 0 };
const mine = (type: string, fields: object) => ({ type, channel: "private-user.me", ...fields });
const settle = () => new Promise((resolve) => setTimeout(resolve));
const ids = (list: readonly Chat[]) => list.map(({ id }) => id).join();

/** A client of the user `me`, whose chats are these. */
async function chatting(chats: object[] = [chat("a", 100), chat("b", 200, { unread: 3 })]) {
  const { client, core } = await running();
  const list = createChat(client).chats;
  core.welcomed("me");
  await settle();
  core.receive({ type: "subscribed", ...place, chats });
  return { client, core, list };
}

describe("the list of chats", () => {
  it("comes with the user's own channel, once it is known who the user is", async () => {
    const { client, core } = await running();
    const { chats } = createChat(client);
    expect([chats, chats.list, chats.unread]).toEqual([createChat(client).chats, [], 0]);
    await settle();
    expect(core.of("subscribe")).toEqual([]);
    core.welcomed("me");
    await settle();
    expect(core.of("subscribe")).toEqual([["private-user.me", undefined, undefined, undefined, true]]);
    core.receive({ type: "subscribed", ...place, chats: [chat("a", 100), chat("b", 200, { unread: 3 })] });
    await chats.ready;
    expect([ids(chats.list), chats.unread, chats.get("a")?.title]).toEqual(["b,a", 3, "Chat a"]);
    expect(chats.list).toBe(chats.list);
  });

  it("is not requested before it is used, and its promise ends with the client", async () => {
    const { client, core } = await running();
    core.welcomed("me");
    await settle();
    expect(core.of("subscribe")).toEqual([]);
    const { ready } = createChat(client).chats;
    await client.close();
    await expect(ready).rejects.toMatchObject({ code: "closed" });
  });

  it("follows the server's updates of chats", async () => {
    const { core, list } = await chatting();
    let changes = 0;
    list.on("change", () => changes++);
    core.receive(
      mine("chat_changed", { chat: chat("c", 150) }),
      mine("chat_changed", { chat: chat("a", 300, { title: "New" }) }),
    );
    await settle();
    expect([ids(list.list), list.get("a")?.title, changes]).toEqual(["a,b,c", "New", 1]);
    core.receive(mine("chat_gone", { chat: "b" }));
    expect([ids(list.list), list.unread]).toEqual(["a,c", 0]);
  });

  it("counts messages of chats that are not open", async () => {
    const { core, list } = await chatting();
    const activity = (offset: number, more: object = {}) => ({
      type: "activity",
      message: message("private-chat.a", offset, "x", { at: 300 + offset, ...more }),
    });
    core.receive(
      activity(11),
      activity(11),
      activity(12, { user: "me" }),
      activity(13, { action: "reply", target: "x" }),
    );
    core.receive(activity(14, { action: "edit", target: "x" }), {
      ...activity(1),
      message: message("private-chat.z", 1),
    });
    expect(list.get("a")).toMatchObject({ unread: 2, head: 13, at: 313, last: { offset: 13 } });
    expect(ids(list.list)).toBe("a,b");
  });

  it("counts messages of open chats just once, and replayed ones not again", async () => {
    const { client, core, list } = await chatting();
    void client.channel("private-chat.a").subscribe();
    core.confirm("private-chat.a", { offset: 8 });
    core.receive(...[9, 10, 11].map((offset) => message("private-chat.a", offset)));
    expect(list.get("a")).toMatchObject({ unread: 1, head: 11 });
  });

  it("has marks and unread counts from the user's receipts, and the marks of others where available", async () => {
    const { client, core, list } = await chatting();
    const receipt = (channel: string, user: string, read: number, more: object = {}) => ({
      type: "receipt",
      channel,
      user,
      delivered: read,
      read,
      ...more,
    });
    // Of a chat that is not subscribed here: read on another device.
    core.receive(receipt("private-chat.b", "me", 10, { unread: 1 }), receipt("news", "me", 1, { unread: 7 }));
    expect([list.get("b")?.unread, list.get("b")?.members[0]?.read]).toEqual([1, 10]);
    void client.channel("private-chat.a").subscribe();
    core.confirm("private-chat.a");
    core.receive(receipt("private-chat.a", "ann", 4));
    expect(list.get("a")?.members[1]).toMatchObject({ delivered: 4, read: 4 });
    expect(list.get("a")?.unread).toBe(0);
  });

  it("takes the unread count of the user who is not among the listed members of a large chat", async () => {
    const members = [{ user: "ann", role: "owner", status: "offline", delivered: 0, read: 0 }];
    const { core, list } = await chatting([chat("a", 100, { members, member_count: 101, unread: 5 })]);
    const receipt = { type: "receipt", channel: "private-chat.a", user: "me", delivered: 10, read: 10 };
    core.receive({ ...receipt, unread: 0 });
    expect([list.get("a")?.unread, list.unread]).toEqual([0, 0]);
    core.receive({ ...receipt, user: "zoe" });
    expect(list.get("a")?.members.length).toBe(1);
  });

  it("follows the status of others, in every chat that they are in", async () => {
    const { core, list } = await chatting();
    const before = list.get("a");
    core.receive(
      mine("status_changed", { user: "ann", status: "online" }),
      mine("status_changed", { user: "bob", status: "away" }),
    );
    for (const id of ["a", "b"]) expect(list.get(id)?.members[1]).toMatchObject({ status: "online" });
    expect(before?.members[1]?.status).toBe("offline");
    core.receive(mine("status_changed", { user: "ann", status: "offline", last_seen: 77 }));
    expect(list.get("a")?.members[1]).toMatchObject({ status: "offline", lastSeen: 77 });
    core.receive(mine("status_changed", { user: "ann", status: "online", name: "Anna" }));
    core.receive(mine("status_changed", { user: "ann", status: "away" }));
    for (const id of ["a", "b"]) {
      expect(list.get(id)?.members[1]).toMatchObject({ status: "away", name: "Anna" });
    }
  });

  it("matches the server after a reconnect", async () => {
    const { core, list } = await chatting();
    core.receive({ type: "subscribed", ...place, chats: [chat("b", 500)] });
    expect(ids(list.list)).toBe("b");
  });

  it("loads older chats in pages, which survive a reconnect", async () => {
    const newest = Array.from({ length: 100 }, (_, n) => chat(`n${n}`, 1000 - n));
    const { core, list } = await chatting(newest);
    const more = list.loadMore(2);
    expect(core.of("request")[0]?.[1]).toMatchObject({ type: "list_chats", before: 901, limit: 2 });
    core.answer("list_chats", { type: "chats", chats: [chat("o1", 5), chat("o2", 4)], more: true });
    expect([await more, list.list.length]).toEqual([true, 102]);
    core.receive({
      type: "subscribed",
      ...place,
      chats: [chat("fresh", 2000), ...newest.slice(1)],
    });
    expect([list.list.length, list.get("n0"), list.get("o2")?.at]).toEqual([102, undefined, 4]);
  });

  it("creates, finds and joins chats", async () => {
    const { core, list } = await chatting();
    const asked = () => core.of("request").at(-1)?.[1];
    const group = list.create({ title: "Trip", users: ["ann", "bob"] });
    expect(asked()).toMatchObject({
      type: "create_chat",
      kind: "group",
      title: "Trip",
      users: ["ann", "bob"],
    });
    core.answer("create_chat", { type: "done", chat: chat("g", 400) });
    expect(await group).toMatchObject({ id: "g" });
    const direct = list.direct("ann");
    expect(asked()).toMatchObject({ type: "create_chat", kind: "direct", users: ["ann"] });
    core.answer("create_chat", { type: "done", chat: chat("d", 401) });
    expect(await direct).toMatchObject({ id: "d" });
    const joined = list.join("j");
    expect(asked()).toMatchObject({ type: "join_chat", chat: "j" });
    core.answer("join_chat", { type: "done", chat: chat("j", 402) });
    expect(await joined).toMatchObject({ id: "j" });
    // They are in the list before the server tells all devices.
    expect(ids(list.list)).toBe("j,d,g,b,a");
  });
});

describe("a chat", () => {
  it("is the same object for the same id, and knows its entry in the list", async () => {
    const { client } = await chatting();
    expect(createChat(client).room("a")).toBe(createChat(client).room("a"));
    expect([createChat(client).room("a").info?.at, createChat(client).room("z").info]).toEqual([
      100,
      undefined,
    ]);
    expect(() => createChat(client).room("not an id")).toThrow(
      expect.objectContaining({ code: "invalid_channel" }),
    );
  });

  it("opens with its latest messages and its presence; closing keeps the log", async () => {
    const { client, core } = await chatting();
    const room = createChat(client).room("a");
    const opening = room.open();
    expect(core.of("subscribe").slice(1)).toEqual([
      ["private-chat.a", 50, undefined, undefined, false],
      ["presence-chat.a", undefined, undefined, undefined, false],
    ]);
    core.confirm("private-chat.a");
    core.confirm("presence-chat.a");
    await opening;
    core.receive({ type: "member_joined", channel: "presence-chat.a", member: { user: "ann" } });
    core.receive(message("private-chat.a", 1, { text: "hi" }));
    core.receive(message("private-chat.a", 2, { action: "left", user: "bob" }, { event: "everwire.chat" }));
    core.receive({ type: "user_typing", channel: "private-chat.a", user: "ann", typing: true });
    expect(room.here).toEqual([{ user: "ann" }]);
    expect(room.typists).toEqual([{ user: "ann" }]);
    expect(room.messages.rows.map(({ event, data }) => [event, data])).toEqual([
      [undefined, { text: "hi" }],
      ["everwire.chat", { action: "left", user: "bob" }],
    ]);
    await room.close();
    expect([room.channel.subscription, room.presence.subscription]).toEqual(["subscribed", "none"]);
    await room.close({ keep: false });
    expect(room.channel.subscription).toBe("none");
    expect(room.messages.rows).toHaveLength(2);
  });

  it("may be closed while it opens, and opened again", async () => {
    const { client, core } = await chatting();
    const room = createChat(client).room("a");
    const first = room.open();
    void room.close();
    const second = room.open();
    core.confirm("private-chat.a");
    core.confirm("presence-chat.a");
    await Promise.all([first, second]);
    expect([room.channel.subscription, room.presence.subscription]).toEqual(["subscribed", "subscribed"]);
  });

  it("emits one change per batch", async () => {
    const { client, core } = await chatting();
    const room = createChat(client).room("a");
    void room.open();
    core.confirm("private-chat.a");
    core.confirm("presence-chat.a");
    await settle();
    const changed = vi.fn();
    room.on("change", changed);
    const log = "private-chat.a";
    core.receive(message(log, 1), message(log, 2), {
      type: "user_typing",
      channel: log,
      user: "ann",
      typing: true,
    });
    await settle();
    // The list of messages tells in its own time.
    expect(changed.mock.calls.length).toBeLessThanOrEqual(2);
    changed.mockClear();
    core.receive({ type: "member_joined", channel: "presence-chat.a", member: { user: "ann" } });
    await settle();
    expect(changed).toHaveBeenCalledOnce();
    core.receive(mine("chat_changed", { chat: chat("a", 999) }));
    await settle();
    expect(changed).toHaveBeenCalledTimes(2);
  });

  it("sends texts and data, edits, deletes and types", async () => {
    const { client, core } = await chatting();
    const room = createChat(client).room("a");
    void room.channel.subscribe();
    const handle = core.confirm("private-chat.a", { offset: 7 });
    void room.send("hi");
    void room.send({ text: "look", picture: "p1" }, { replyTo: "m1" });
    void room.edit("m1", "hello");
    void room.delete("m1");
    room.typing();
    room.stopTyping();
    room.markRead();
    expect(core.of("send").map(([, , , ...rest]) => rest)).toEqual([
      ['{"text":"hi"}', false],
      ['{"text":"look","picture":"p1"}', false, "reply", "m1"],
      ['{"text":"hello"}', false, "edit", "m1"],
      ["null", false, "delete", "m1"],
    ]);
    expect([core.of("typing"), core.of("mark")]).toEqual([
      [
        [handle, true],
        [handle, false],
      ],
      [[handle, undefined, 7]],
    ]);
  });

  it("sends the requests about its membership", async () => {
    const { client, core } = await chatting();
    const room = createChat(client).room("a");
    const all = [
      room.invite("bob"),
      room.invite("cid", "read_only"),
      room.remove("bob"),
      room.rename("Other"),
      room.setRole("ann", "owner"),
      room.leave(),
    ];
    const asked = core.of("request").map(([id, frame]) => {
      core.receive({ type: "done", id });
      const { id: _, ...rest } = frame as Record<string, unknown>;
      return rest;
    });
    expect(await Promise.all(all)).toEqual(all.map(() => undefined));
    expect(asked).toEqual([
      { type: "invite", chat: "a", user: "bob" },
      { type: "invite", chat: "a", user: "cid", role: "read_only" },
      { type: "remove_member", chat: "a", user: "bob" },
      { type: "rename_chat", chat: "a", title: "Other" },
      { type: "set_role", chat: "a", user: "ann", role: "owner" },
      { type: "leave_chat", chat: "a" },
    ]);
  });

  it("whose subscription the server ends emits an error, and can be opened again", async () => {
    const { client, core } = await chatting();
    const room = createChat(client).room("a");
    void room.open().catch(() => {});
    core.confirm("private-chat.a");
    core.confirm("presence-chat.a");
    const errors: string[] = [];
    room.channel.on("error", ({ code }) => errors.push(code));
    const message = "You were removed.";
    core.receive({ type: "unsubscribed", channel: "private-chat.a", code: "forbidden", message });
    expect([errors, room.channel.subscription]).toEqual([["forbidden"], "none"]);
    void room.open();
    core.confirm("private-chat.a");
    expect(room.channel.subscription).toBe("subscribed");
  });
});
