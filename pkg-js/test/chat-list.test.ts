// The list of chats: what the server says of them, what their own channels add, and the members of large ones.

import { describe, expect, it, vi } from "vitest";
import type { Chat } from "../src/chat/chat.js";
import { createChat } from "../src/chat/chat-client.js";
import { asked, chat, chatting, ids, mine, place, settle } from "./scripted-chats.js";
import { message, running } from "./scripted-core.js";

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

  it("says that the server has no chats, in words, and does not wait for them", async () => {
    const { client, core } = await running();
    const { chats } = createChat(client);
    core.welcomed("me");
    const { ready } = chats;
    await settle();
    core.receive({ type: "subscribed", ...place });
    const refused = { code: "unsupported_feature", message: expect.stringContaining("does not offer chats") };
    await expect(ready).rejects.toMatchObject(refused);
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

  it("loads all chats, a page at a time, and shows the latest ones first", async () => {
    const { core, list } = await chatting([]);
    expect(list.complete).toBe(true);
    core.receive({ type: "subscribed", ...place, chats: [chat("c", 300)], chats_more: true });
    expect([ids(list.list), list.complete, asked(core)]).toEqual(["c", false, [undefined]]);
    core.answer("list_chats", { type: "chats", chats: [chat("a", 100), chat("b", 200)], next: "b" });
    await settle();
    expect([ids(list.list), list.complete, asked(core)]).toEqual(["c,b,a", false, [undefined, "b"]]);
    const before = list.list;
    core.answer("list_chats", { type: "chats", chats: [chat("c", 300)] });
    await settle();
    expect([ids(list.list), list.complete, asked(core)]).toEqual(["c,b,a", true, [undefined, "b"]]);
    expect(list.list, "so that a component shows that it is complete").not.toBe(before);
  });

  it("notices what was removed while it was away, wherever in the list, and nothing else", async () => {
    const all = Array.from({ length: 130 }, (_, n) => chat(`c${String(n).padStart(3, "0")}`, 1000 - n));
    const { core, list } = await chatting(all);
    expect([list.list.length, list.complete]).toEqual([130, true]);
    const left = all.filter(({ id }) => id !== "c119");
    core.receive({ type: "subscribed", ...place, chats: left.slice(0, 50), chats_more: true });
    for (const [from, to] of [
      [0, 100],
      [100, 129],
    ] as const) {
      // Nothing is removed before it is proven.
      expect([list.list.length, list.complete]).toEqual([130, false]);
      const chats = left.slice(from, to);
      core.answer("list_chats", { type: "chats", chats, ...(to < 129 && { next: chats.at(-1)?.id }) });
      await settle();
    }
    expect([list.list.length, list.get("c119"), list.complete]).toEqual([129, undefined, true]);
  });

  it("applies what is told while a page is on its way, which may be older", async () => {
    const { core, list } = await chatting([]);
    core.receive({ type: "subscribed", ...place, chats: [chat("z", 900)], chats_more: true });
    const page = [chat("a", 100), chat("b", 200), chat("c", 300), chat("z", 900)];
    core.receive(
      mine("chat_gone", { chat: "a" }),
      mine("chat_changed", { chat: chat("n", 400) }),
      mine("chat_changed", { chat: chat("b", 500, { title: "New" }) }),
      { type: "activity", message: message("private-chat.c", 11, "x", { at: 600 }) },
      mine("status_changed", { user: "ann", status: "online" }),
    );
    core.answer("list_chats", { type: "chats", chats: page });
    await settle();
    expect([ids(list.list), list.get("b")?.title, list.get("c")?.head]).toEqual(["z,c,b,n", "New", 11]);
    expect(list.get("c")).toMatchObject({ unread: 1, members: [{}, { status: "online" }] });
  });

  it("gives up the pages of a list that has arrived anew", async () => {
    const { core, list } = await chatting([]);
    core.receive({ type: "subscribed", ...place, chats: [chat("a", 1)], chats_more: true });
    core.receive({ type: "subscribed", ...place, chats: [chat("b", 2)] });
    core.answer("list_chats", { type: "chats", chats: [chat("old", 3)], next: "old" });
    await settle();
    expect([ids(list.list), list.complete, asked(core)]).toEqual(["b", true, [undefined]]);
  });

  it("waits as long as the server says before it asks for a page again, and ends for what is final", async () => {
    const { core, list } = await chatting([]);
    core.refusing = true;
    core.receive({ type: "subscribed", ...place, chats: [chat("b", 1)], chats_more: true });
    const refuse = (code: string, retry: boolean) => {
      const id = [...core.asked.keys()].at(-1);
      core.receive({ type: "error", code, message: code, retry, id, retry_after_ms: 20 });
    };
    refuse("rate_limited", true);
    await vi.waitUntil(() => asked(core).length === 2);
    core.answer("list_chats", { type: "chats", chats: [chat("a", 2)], next: "a" });
    await settle();
    expect([ids(list.list), asked(core)]).toEqual(["a,b", [undefined, undefined, "a"]]);
    refuse("forbidden", false);
    await settle();
    expect([list.complete, asked(core).length]).toEqual([false, 3]);
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

describe("the members of a large chat", () => {
  const user = (n: number) => `u${String(n).padStart(3, "0")}`;
  const member = (n: number, more: object = {}) => ({
    user: user(n),
    role: "member",
    status: "offline",
    delivered: 0,
    read: 0,
    ...more,
  });
  const members = (from: number, to: number) => Array.from({ length: to - from }, (_, n) => member(from + n));
  const large = (more: object = {}) =>
    chat("a", 100, { members: members(0, 100), member_count: 130, ...more });
  const listed = (list: { get(id: string): Chat | undefined }) =>
    list
      .get("a")
      ?.members.map(({ user, status, role }) => `${user} ${status} ${role}`)
      .sort() ?? [];
  const answers = (from: number, to: number, next?: string) => ({
    type: "chat_members",
    chat: "a",
    members: members(from, to),
    ...(next && { next }),
  });
  const change = (offset: number, data: object) =>
    message("private-chat.a", offset, data, { event: "everwire.chat", user: "owner" });

  it("are all loaded while it is open, and not before", async () => {
    const { client, core, list } = await chatting([large()]);
    expect([list.get("a")?.members.length, core.of("request")]).toEqual([100, []]);
    void createChat(client).room("a").open();
    expect(core.of("request").map(([, frame]) => frame)).toMatchObject([
      { type: "list_chat_members", chat: "a" },
    ]);
    core.answer("list_chat_members", answers(0, 90, user(89)));
    await settle();
    expect(core.of("request").at(-1)?.[1]).toMatchObject({ type: "list_chat_members", after: user(89) });
    core.answer("list_chat_members", answers(90, 130));
    await settle();
    expect(list.get("a")?.members.map(({ user }) => user)).toEqual(members(0, 130).map(({ user }) => user));
    // The server sends the first members only: the others stay.
    core.receive(mine("chat_changed", { chat: large({ title: "New" }) }));
    expect([list.get("a")?.title, list.get("a")?.members.length]).toEqual(["New", 130]);
  });

  it("follow the log, and the status of each", async () => {
    const { client, core, list } = await chatting([large()]);
    void createChat(client).room("a").open();
    core.confirm("private-chat.a", { offset: 10 });
    core.receive(
      change(11, { action: "removed", user: user(120) }),
      change(12, { action: "invited", user: "new", name: "New", role: "member" }),
      mine("status_changed", { user: user(121), status: "away" }),
    );
    // An older page.
    core.answer("list_chat_members", answers(0, 130));
    await settle();
    const now = () => listed(list);
    expect(now().filter((text) => /u12[01]|new/.test(text))).toEqual([
      "new offline invited",
      `${user(121)} away member`,
    ]);
    core.receive(
      { ...change(13, { action: "joined", user: "new", role: "read_only" }), user: "new" },
      change(14, { action: "role_set", user: user(122), role: "owner" }),
      change(15, { action: "left", user: user(123) }),
    );
    expect(now().filter((text) => /u12[23]|new/.test(text))).toEqual([
      "new offline read_only",
      `${user(122)} offline owner`,
    ]);
  });

  it("are loaded again after an outage, and those who are gone are noticed", async () => {
    const { client, core, list } = await chatting([large()]);
    void createChat(client).room("a").open();
    core.answer("list_chat_members", answers(0, 130));
    await settle();
    core.receive({ type: "subscribed", ...place, chats: [large({ member_count: 129 })] });
    expect(listed(list).length).toBe(130);
    core.answer("list_chat_members", answers(0, 129));
    await settle();
    expect(listed(list).length).toBe(129);
  });

  it("do not include the user perhaps, whose mark and badge are the chat's own", async () => {
    const { core, list } = await chatting([large({ unread: 7, read: 3 })]);
    expect(list.get("a")).toMatchObject({ unread: 7, read: 3, role: "member" });
    const receipt = { type: "receipt", channel: "private-chat.a", user: "me", delivered: 10, read: 10 };
    core.receive({ ...receipt, unread: 0 });
    expect(list.get("a")).toMatchObject({ unread: 0, read: 10 });
  });
});
