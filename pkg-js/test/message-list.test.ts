// The merged list: an own message and its echo are one row, stored ones are in order, pending ones come last.

import { describe, expect, it } from "vitest";
import { MessageList } from "../src/chat/message-list.js";
import { message } from "./scripted-core.js";
import { following, loadable } from "./scripted-list.js";

const brief = (list: MessageList) => list.rows.map(({ data, status }) => `${data} ${status}`);

describe("a message list", () => {
  it("shows a send immediately, as one row with its ack and its echo", async () => {
    const { core, channel, list } = await following();
    const { id } = channel.send("mine");
    expect(list.rows).toEqual([
      {
        id,
        data: "mine",
        status: "queued",
        mine: true,
        edited: false,
        deleted: false,
        deliveredTo: 0,
        readBy: 0,
      },
    ]);
    core.host.sending({ id, status: "sent" });
    expect(brief(list)).toEqual(["mine sent"]);
    core.receive({ type: "ack", id, channel: "a", offset: 1, at: 7 });
    expect(list.rows).toMatchObject([{ id, status: "stored", mine: true, offset: 1, at: 7 }]);
    core.receive(message("a", 1, "mine", { id, user: "u1", name: "Ann" }));
    expect(list.rows).toMatchObject([
      { id, status: "stored", mine: true, offset: 1, user: "u1", name: "Ann" },
    ]);
  });

  it("shows what an erased user had sent as deleted, also what was edited", async () => {
    const { core, list } = await following();
    core.receive(
      message("a", 1, "mine", { user: "u2", name: "Ann" }),
      message("a", 2, "other", { user: "u3" }),
    );
    core.receive(message("a", 3, "better", { user: "u2", action: "edit", target: list.rows[0]?.id ?? "" }));
    core.receive(message("a", 4, { offsets: [1, 3] }, { user: "", event: "everwire.erased" }));
    expect(list.rows).toMatchObject([
      { data: null, deleted: true, edited: false, user: "", name: "" },
      { data: "other", deleted: false, user: "u3" },
    ]);
    expect(list.rows).toHaveLength(2);
  });

  it("accepts an echo that arrives before its ack", async () => {
    const { core, channel, list } = await following();
    const { id } = channel.send("mine");
    const echo = message("a", 1, "mine", { id, name: "Ann" });
    core.receive(echo, { type: "ack", id, channel: "a", offset: 1, at: 7 });
    expect(list.rows).toMatchObject([{ data: "mine", status: "stored", name: "Ann" }]);
  });

  it("orders by offset, with pending messages last, in sending order", async () => {
    const { core, channel, list, failed } = await following();
    const first = channel.send("first");
    const second = channel.send("second");
    const third = channel.send("third");
    core.receive({ type: "ack", id: second.id, channel: "a", offset: 3, at: 1 });
    core.receive(message("a", 1, "x"), message("a", 2, "y"));
    failed(first.id);
    await expect(first).rejects.toMatchObject({ code: "forbidden" });
    expect(brief(list)).toEqual(["x stored", "y stored", "second stored", "first failed", "third queued"]);
    core.receive(message("a", 3, "second", { id: second.id }), message("a", 4, "z"));
    expect(brief(list)).toEqual([
      "x stored",
      "y stored",
      "second stored",
      "z stored",
      "first failed",
      "third queued",
    ]);
    list.dismiss(third.id);
    list.dismiss(first.id);
    expect(brief(list).slice(4)).toEqual(["third queued"]);
  });

  it("recognises the user's own messages from another tab", async () => {
    const { client, core, list } = await following();
    client._user = "u1";
    core.receive(message("a", 1, "x", { user: "u1" }), message("a", 2, "y", { user: "u2" }));
    expect(list.rows.map((row) => row.mine)).toEqual([true, false]);
  });

  it("keeps the latest messages, and all pending ones", async () => {
    const { core, channel, list } = await following(3);
    for (let n = 1; n <= 5; n++) void channel.send(`p${n}`);
    core.receive(...[1, 2, 3, 4, 5].map((offset) => message("a", offset)));
    expect(list.rows.map((row) => row.data)).toEqual([3, 4, 5, "p1", "p2", "p3", "p4", "p5"]);
  });

  it("puts a new log after the old one, although its offsets start again", async () => {
    const { core, list } = await following();
    core.receive(message("a", 1, "old 1"), message("a", 2, "old 2"));
    core.confirm("a", { epoch: "e2", offset: 0 });
    core.receive(message("a", 1, "new 1", { id: "n1" }));
    expect(list.rows.map((row) => row.data)).toEqual(["old 1", "old 2", "new 1"]);
  });

  it("shows replayed messages once", async () => {
    const { core, channel, list } = await following();
    core.receive(message("a", 1), message("a", 2));
    await channel.unsubscribe();
    void channel.subscribe();
    core.confirm("a");
    core.receive(message("a", 1), message("a", 2), message("a", 3));
    expect(list.rows.map((row) => row.data)).toEqual([1, 2, 3]);
  });

  it("excludes custom events", async () => {
    const { core, channel, list } = await following();
    void channel.send(1, { event: "x" });
    core.receive(message("a", 1, 1, { event: "x" }));
    expect(list.rows).toEqual([]);
  });

  it("emits one change per batch, and keeps its array until then", async () => {
    const { core, list } = await following();
    let changes = 0;
    list.on("change", () => changes++);
    const before = list.rows;
    expect(list.rows).toBe(before);
    core.receive(...Array.from({ length: 200 }, (_, n) => message("a", n + 1)));
    expect(changes).toBe(0);
    await Promise.resolve();
    expect(changes).toBe(1);
    expect(list.rows).toHaveLength(200);
    expect(list.rows).not.toBe(before);
  });

  it("follows nothing after stop", async () => {
    const { core, list } = await following();
    list.stop();
    core.receive(message("a", 1));
    expect(list.rows).toEqual([]);
  });
});

const told = (list: MessageList) =>
  list.rows.map(({ id, data, edited, deleted }) => [id, data, edited, deleted]);

describe("edits and deletions", () => {
  const edit = (offset: number, target: string, data: unknown) =>
    message("a", offset, data, { action: "edit", target });
  const remove = (offset: number, target: string) => message("a", offset, null, { action: "delete", target });

  it("change the row of their target, and are not rows", async () => {
    const { core, list } = await following();
    core.receive(message("a", 1), message("a", 2));
    const [first, second] = list.rows;
    core.receive(edit(3, "id-1", "better"), edit(4, "id-1", "best"));
    expect(told(list)).toEqual([
      ["id-1", "best", true, false],
      ["id-2", 2, false, false],
    ]);
    expect(list.rows[0]).not.toBe(first);
    expect(list.rows[1]).toBe(second);
    core.receive(remove(5, "id-1"));
    expect(told(list)[0]).toEqual(["id-1", null, false, true]);
  });

  it("apply when they arrive before their target, and the latest wins in any order", async () => {
    const { core, list } = await loadable(10);
    core.receive(edit(11, "id-9", "late"), remove(12, "id-8"));
    const loading = list.loadOlder(5);
    core.page([message("a", 7), message("a", 8), message("a", 9), edit(10, "id-9", "early")], true);
    await loading;
    expect(told(list)).toEqual([
      ["id-7", 7, false, false],
      ["id-8", null, false, true],
      ["id-9", "late", true, false],
    ]);
  });

  const seen = (list: MessageList) => list.rows.map(({ data, status, edited }) => [data, status, edited]);

  it("that were blanked with their target leave it deleted, even without the deletion", async () => {
    const { core, list } = await following();
    const deleted = { user: "u2", at: 9 };
    core.receive(message("a", 1, null, { deleted }), message("a", 2, "kept"));
    core.receive({ ...edit(3, "id-1", "x"), data: null, deleted });
    expect(list.rows).toMatchObject([
      { id: "id-1", data: null, deleted: true, edited: false },
      { id: "id-2", data: "kept", deleted: false },
    ]);
  });

  it("of one's own show immediately with their status, and are not rows", async () => {
    const { core, channel, list } = await following();
    core.receive(message("a", 1));
    const { id } = channel.edit("id-1", "better");
    expect(seen(list)).toEqual([["better", "queued", true]]);
    core.host.sending({ id, status: "sent" });
    expect(seen(list)).toEqual([["better", "sent", true]]);
    core.receive({ type: "ack", id, channel: "a", offset: 2, at: 7 });
    expect(seen(list)).toEqual([["better", "stored", true]]);
    core.receive(message("a", 2, "better", { id, action: "edit", target: "id-1" }));
    expect(seen(list)).toEqual([["better", "stored", true]]);
    channel.delete("id-1");
    expect(told(list)).toEqual([["id-1", null, false, true]]);
  });

  it("of one's own that fail are reverted to what was stored", async () => {
    const { core, channel, list, failed } = await following();
    core.receive(message("a", 1, "first"));
    const better = channel.edit("id-1", "better");
    const best = channel.edit("id-1", "best");
    for (const sending of [better, best]) sending.catch(() => undefined);
    failed(better.id);
    expect(seen(list)).toEqual([["best", "queued", true]]);
    failed(best.id);
    expect(seen(list)).toEqual([["first", "stored", false]]);
    // What another device did meanwhile stays.
    const gone = channel.delete("id-1");
    gone.catch(() => undefined);
    core.receive(edit(2, "id-1", "elsewhere"));
    expect(told(list)).toEqual([["id-1", null, false, true]]);
    failed(gone.id);
    expect(seen(list)).toEqual([["elsewhere", "stored", true]]);
  });

  it("of one's own wait for their target, and do not restore a dropped row", async () => {
    const { core, channel, list, failed } = await following(1);
    const early = channel.edit("id-1", "better");
    core.receive(message("a", 1, "first"));
    expect(seen(list)).toEqual([["better", "queued", true]]);
    early.catch(() => undefined);
    core.receive(message("a", 2, "second"));
    failed(early.id);
    expect(seen(list)).toEqual([["second", "stored", false]]);
  });
});

describe("replies and events", () => {
  it("replies have their target, even while pending", async () => {
    const { core, channel, list } = await following();
    core.receive(message("a", 1, "x", { action: "reply", target: "id-0" }));
    void channel.send("y", { replyTo: "id-1" });
    expect(list.rows.map(({ replyTo, status }) => [replyTo, status])).toEqual([
      ["id-0", "stored"],
      ["id-1", "queued"],
    ]);
  });

  it("listed events are rows with their name, others are not", async () => {
    const { client, core } = await following();
    const channel = client.channel("b");
    const list = new MessageList(channel, { events: ["everwire.chat"] });
    void channel.subscribe();
    core.confirm("b");
    const event = { event: "everwire.chat" };
    core.receive(message("b", 1, { action: "joined" }, event), message("b", 2, 2, { event: "other" }));
    expect(list.rows).toMatchObject([{ offset: 1, event: "everwire.chat", data: { action: "joined" } }]);
    void channel.send(1, { event: "other" });
    expect(list.rows).toHaveLength(1);
  });
});

describe("marks", () => {
  const mark = (user: string, delivered: number, read: number) => ({ user, delivered, read });
  const receipt = (user: string, delivered: number, read: number) => ({
    type: "receipt",
    channel: "a",
    ...mark(user, delivered, read),
  });
  const counts = (list: MessageList) =>
    list.rows.map(({ deliveredTo, readBy }) => `${deliveredTo}/${readBy}`);

  async function marked() {
    const made = await following();
    made.core.welcomed("me");
    const receipts = [mark("me", 9, 9), mark("ann", 2, 1), mark("bob", 1, 0)];
    const place = { channel: "a", epoch: "e", offset: 0, head: 0 };
    made.core.receive({ type: "subscribed", ...place, receipts });
    const own = (offset: number) => message("a", offset, offset, { user: "me" });
    made.core.receive(own(1), own(2), message("a", 3), own(4));
    return { ...made, own, place };
  }

  it("count how many others have received and read an own message", async () => {
    const { core, list, own } = await marked();
    expect(counts(list)).toEqual(["2/1", "1/0", "0/0", "0/0"]);
    core.receive(receipt("bob", 4, 2));
    expect(counts(list)).toEqual(["2/2", "2/1", "0/0", "1/0"]);
    core.receive(receipt("ann", 5, 5), own(5), receipt("cid", 1, 1));
    expect(counts(list)).toEqual(["3/3", "2/2", "0/0", "2/1", "1/1"]);
  });

  it("change only the rows that they pass", async () => {
    const { core, list } = await marked();
    const before = [...list.rows];
    core.receive(receipt("ann", 2, 2), receipt("me", 9, 9));
    expect(list.rows.map((row, n) => row === before[n])).toEqual([true, false, true, true]);
  });

  it("are correct again after a reconnect, even when a member has left", async () => {
    const { core, list, place } = await marked();
    core.receive({ type: "subscribed", ...place, offset: 4, head: 4, receipts: [mark("ann", 4, 4)] });
    expect(counts(list)).toEqual(["1/1", "1/1", "0/0", "1/1"]);
  });

  it("do not reach into an older log", async () => {
    const { core, list, place, own } = await marked();
    const gap = { from: 5, to: 0, reason: "epoch" };
    core.receive({ type: "subscribed", ...place, epoch: "f", gap, receipts: [] });
    core.receive({ ...own(1), id: "new" }, receipt("ann", 1, 1));
    expect(counts(list).slice(3)).toEqual(["0/0", "1/1"]);
  });

  it("count for a message whose ack has arrived but not yet its echo", async () => {
    const { core, channel, list } = await marked();
    const { id } = channel.send("mine");
    core.receive({ type: "ack", id, channel: "a", offset: 5, at: 7 }, receipt("ann", 5, 4));
    expect(counts(list).at(-1)).toBe("1/0");
  });
});
