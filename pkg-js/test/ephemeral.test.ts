// What a channel carries besides messages: edits and replies, signals, typing, marks, pages of its log, and who is there.

import { describe, expect, it } from "vitest";
import type { Signal, Typist } from "../src/core/events.js";
import type { Handle } from "../src/generated/bindings.js";
import { message, running } from "./scripted-core.js";

const code = (code: string) => expect.objectContaining({ name: "EverwireError", code });

async function talking(marks?: object[]) {
  const { client, core } = await running();
  core.welcomed("me");
  const channel = client.channel("private-chat.1");
  void channel.subscribe();
  const handle = core.places.size as Handle;
  const place = { channel: channel.name, epoch: "e", offset: 0, head: 0 };
  const own_mark = { delivered: 4, read: 2 };
  core.receive({ type: "subscribed", ...place, ...(marks && { receipts: marks, own_mark }) });
  core.calls.length = 0;
  const frame = (type: string, fields: object) => ({ type, channel: channel.name, ...fields });
  return { client, core, channel, handle, place, frame };
}

describe("sending", () => {
  it("replies, edits and deletes are sends that name another message", async () => {
    const { core, channel } = await talking();
    void channel.send("yes", { replyTo: "m1" });
    void channel.edit("m1", "better");
    void channel.delete("m1");
    expect(core.of("send").map(([, ...rest]) => rest)).toEqual([
      [channel.name, undefined, '"yes"', false, "reply", "m1"],
      [channel.name, undefined, '"better"', false, "edit", "m1"],
      [channel.name, undefined, "null", false, "delete", "m1"],
    ]);
  });

  it("emits them as what they are", async () => {
    const { core, channel } = await talking();
    const told: unknown[] = [];
    channel.on("sending", ({ status, action, target }) => told.push([status, action, target]));
    const { id } = channel.edit("m1", "better");
    core.receive({ type: "ack", id, channel: "a", offset: 4, at: 5 });
    expect(told).toEqual([
      ["queued", "edit", "m1"],
      ["stored", "edit", "m1"],
    ]);
  });

  it("an id that is not a string is refused", async () => {
    const { channel } = await talking();
    await expect(channel.edit(7 as never, "x")).rejects.toEqual(code("invalid_option"));
  });

  it("messages carry their action on another", async () => {
    const { client, core, channel } = await talking();
    const got: unknown[] = [];
    const errors: string[] = [];
    client.on("error", ({ code }) => errors.push(code));
    channel.on("message", ({ action, target }) => got.push([action, target]));
    core.receive(message(channel.name, 1, "x", { action: "edit", target: "m1" }), message(channel.name, 2));
    core.receive(
      message(channel.name, 3, "x", { action: 7 }),
      message(channel.name, 4, "x", { action: "edit" }),
    );
    expect(got).toEqual([
      ["edit", "m1"],
      [undefined, undefined],
    ]);
    expect(errors).toEqual(["protocol_violation", "protocol_violation"]);
  });
});

describe("signals", () => {
  it("are sent now or never", async () => {
    const { client, core, channel } = await talking();
    expect(channel.signal("wave", { n: 1 })).toBe(true);
    expect(channel.signal("wave", 2, { to: "c9" })).toBe(true);
    expect(core.of("sendEphemeral")).toEqual([
      [{ type: "signal", channel: channel.name, event: "wave", data: { n: 1 } }],
      [{ type: "signal", channel: channel.name, event: "wave", data: 2, to: "c9" }],
    ]);
    core.online = false;
    expect(channel.signal("wave", 3)).toBe(false);
    await client.close();
    expect(channel.signal("wave", 4)).toBe(false);
  });

  it("that are too large or not JSON throw, and the client continues", async () => {
    const { client, core, channel } = await talking();
    core.throwing.set("sendEphemeral", { code: "too_large", message: "Too large." });
    expect(() => channel.signal("wave", 1)).toThrow(code("too_large"));
    for (const name of ["", "é".repeat(51), 7 as unknown as string]) {
      expect(() => channel.signal(name, 1)).toThrow(code("invalid_option"));
    }
    expect(() => channel.signal("wave", 1n)).toThrow(code("invalid_payload"));
    core.throwing.set("sendEphemeral", { code: "queue_full", message: "Too many." });
    expect(channel.signal("wave", 1)).toBe(false);
    expect(client.state.status).toBe("connected");
  });

  it("are emitted by name, on the channel, or on the client", async () => {
    const { client, core, channel, frame } = await talking();
    const got: unknown[] = [];
    channel.on("signal", (signal: Signal) => got.push(["any", signal.event, signal.data, signal.from]));
    channel.on("signal:wave", ({ data }) => got.push(["wave", data]));
    client.on("signal", ({ event, data }) => got.push(["client", event, data]));
    core.receive(
      frame("signalled", { event: "wave", data: 1, user: "ann", from: "c9", at: 1 }),
      frame("signalled", { event: "nod", data: 2, at: 1 }),
      { type: "signalled", event: "reload", data: 3, at: 1 },
      { type: "signalled", channel: "news", event: "nod", data: 4, at: 1 },
    );
    expect(got).toEqual([
      ["any", "wave", 1, "c9"],
      ["wave", 1],
      ["any", "nod", 2, undefined],
      ["client", "reload", 3],
    ]);
  });

  it("of a subscription that is not live are ignored", async () => {
    const { core, channel, handle, frame } = await talking();
    const got: unknown[] = [];
    channel.on("signal", (signal) => got.push(signal));
    core.places.delete(handle);
    core.receive(frame("signalled", { event: "nod", data: 2, at: 1 }));
    expect(got).toEqual([]);
  });
});

describe("typing", () => {
  it("is reported to the core on every keystroke, while there is a subscription", async () => {
    const { client, core, channel, handle } = await talking();
    channel.typing();
    channel.stopTyping();
    client.channel("news").typing();
    client.channel("news").markRead(4);
    expect([core.of("typing"), core.of("mark")]).toEqual([
      [
        [handle, true],
        [handle, false],
      ],
      [],
    ]);
  });

  it("of others is a new list after every change", async () => {
    const { core, channel, handle, frame } = await talking();
    const told: (readonly Typist[])[] = [];
    channel.on("typing", (typists) => told.push(typists));
    core.receive(frame("user_typing", { user: "ann", name: "Ann", typing: true }));
    core.receive(
      frame("user_typing", { user: "bob", typing: true }),
      frame("user_typing", { user: "ann", typing: true }),
    );
    expect(channel.typists).toEqual([{ user: "ann", name: "Ann" }, { user: "bob" }]);
    expect(channel.typists).toBe(told[1]);
    core.receive(
      frame("user_typing", { user: "ann", typing: false }),
      frame("user_typing", { user: "eve", typing: false }),
    );
    expect(told).toHaveLength(3);
    expect(core.of("userTyping")).toEqual([
      [handle, 0, true],
      [handle, 1, true],
      [handle, 0, true],
      [handle, 0, false],
      [handle, 2, false],
    ]);
  });

  it("expires, and ends with the subscription", async () => {
    const { core, channel, handle, frame } = await talking();
    core.receive(
      frame("user_typing", { user: "ann", typing: true }),
      frame("user_typing", { user: "bob", typing: true }),
    );
    core.host.typingExpired({ handle, typist: 0 });
    core.host.typingExpired({ handle, typist: 0 });
    core.host.typingExpired({ handle, typist: 77 });
    core.host.typingExpired({ handle: (handle + 1) as Handle, typist: 1 });
    expect(channel.typists).toEqual([{ user: "bob" }]);
    await channel.unsubscribe();
    expect(channel.typists).toEqual([]);
  });
});

describe("marks", () => {
  const marks = [
    { user: "me", delivered: 4, read: 2 },
    { user: "ann", delivered: 3, read: 3 },
  ];

  it("are kept where the server keeps them: the core receives the user's own", async () => {
    const { client, core } = await running();
    core.welcomed("me");
    const [kept, none, fresh] = ["a", "b", "c"].map((name) => client.channel(name));
    for (const channel of [kept, none, fresh]) void channel?.subscribe();
    const place = { epoch: "e", offset: 0, head: 0 };
    core.receive(
      { type: "subscribed", channel: "a", ...place, receipts: marks, own_mark: { delivered: 4, read: 2 } },
      { type: "subscribed", channel: "b", ...place },
      { type: "subscribed", channel: "c", ...place, receipts: [], own_mark: { delivered: 0, read: 0 } },
    );
    expect(core.of("ownReceipt")).toEqual([
      [1, 4, 2],
      [3, 0, 0],
    ]);
    expect([...(kept?.receipts.keys() ?? [])]).toEqual(["me", "ann"]);
    expect([none?.receipts.size, fresh?.receipts.size]).toEqual([0, 0]);
  });

  it("change with receipts, as a new map", async () => {
    const { core, channel, handle, frame } = await talking(marks);
    const before = channel.receipts;
    const told: unknown[] = [];
    channel.on("receipts", (all) => told.push(all));
    core.receive(
      frame("receipt", { user: "ann", delivered: 9, read: 5 }),
      frame("receipt", { user: "me", delivered: 9, read: 9, unread: 0 }),
    );
    expect(told).toHaveLength(2);
    expect(channel.receipts).toBe(told[1]);
    expect(before.get("ann")).toEqual({ user: "ann", delivered: 3, read: 3 });
    expect(channel.receipts.get("ann")).toEqual({ user: "ann", delivered: 9, read: 5 });
    // Only the user's own are news for the core.
    expect(core.of("ownReceipt")).toEqual([[handle, 9, 9]]);
  });

  it("are there again after a reconnect, and stay after unsubscribing", async () => {
    const { core, channel, place } = await talking(marks);
    core.receive({ type: "subscribed", ...place, receipts: [{ user: "ann", delivered: 8, read: 8 }] });
    expect([...channel.receipts.values()]).toEqual([{ user: "ann", delivered: 8, read: 8 }]);
    await channel.unsubscribe();
    expect(channel.receipts.size).toBe(1);
  });

  it("are set by offset, by id, or for everything received", async () => {
    const { core, channel, handle } = await talking(marks);
    core.receive(...Array.from({ length: 1002 }, (_, n) => message(channel.name, n + 1)));
    channel.markRead(5);
    channel.markRead("id-900");
    channel.markRead("id-2");
    channel.markRead("nobody knows");
    channel.markRead();
    expect(core.of("mark")).toEqual([
      [handle, undefined, 5],
      [handle, undefined, 900],
      [handle, undefined, 1002],
    ]);
  });
});

describe("history", () => {
  it("requests a page of the channel", async () => {
    const { core, channel } = await talking();
    const page = channel.history({ before: 40, limit: 20 });
    expect(core.of("request")[0]?.[1]).toMatchObject({ type: "history", channel: channel.name, before: 40 });
    const messages = [message(channel.name, 38), message(channel.name, 39)];
    core.answer("history", { type: "history_page", channel: channel.name, epoch: "e", messages, more: true });
    expect(await page).toMatchObject({ epoch: "e", messages, more: true });
    // The subscription has not moved.
    expect(channel.position).toEqual({ epoch: "e", offset: 0, run: "r1" });
  });
});

describe("subscribing", () => {
  it("can start after what was delivered", async () => {
    const { client, core } = await running();
    void client.channel("a").subscribe({ undelivered: true, recent: 9 });
    expect(core.of("subscribe")).toEqual([["a", 9, undefined, undefined, true]]);
  });
});

describe("members", () => {
  it("of presence-users have a status, which changes", async () => {
    const { client, core } = await running();
    const channel = client.channel("presence-users");
    void channel.subscribe();
    const place = { channel: "presence-users", epoch: "e", offset: 0, head: 0 };
    core.receive({ type: "subscribed", ...place, members: [{ user: "ann", status: "online" }] });
    const told: unknown[] = [];
    channel.on("members", (members) => told.push(members));
    channel.on("joined", (member) => told.push(member));
    const status = (user: string, status: string) => ({
      type: "status_changed",
      channel: channel.name,
      user,
      status,
    });
    core.receive(
      status("ann", "away"),
      status("ann", "away"),
      status("bob", "online"),
      status("ann", "auto"),
    );
    expect(told).toEqual([[{ user: "ann", status: "away" }]]);
    expect(core.of("violation")).toHaveLength(1);
    // Also in a snapshot after a reconnect; nothing is emitted where nothing changed.
    core.receive({ type: "subscribed", ...place, members: [{ user: "ann", status: "away" }] });
    expect(told).toHaveLength(1);
    core.receive({ type: "subscribed", ...place, members: [{ user: "ann", status: "online" }] });
    expect(told.slice(1)).toEqual([[{ user: "ann", status: "online" }]]);
  });
});
