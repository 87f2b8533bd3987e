// One chat: opening and closing it, what is sent to it, and its membership.

import { describe, expect, it, vi } from "vitest";
import { createChat } from "../src/chat/chat-client.js";
import { chat, chatting, mine, settle } from "./scripted-chats.js";
import { message } from "./scripted-core.js";

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
