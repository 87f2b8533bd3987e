// The merged list: an own message and its echo are one row, stored ones are in order, pending ones come last.

import { describe, expect, it } from "vitest";
import { SendStatus } from "../src/border.js";
import { MessageList } from "../src/messages.js";
import { message, scripted } from "./script.js";

async function following(limit?: number) {
  const { client, loaded } = scripted();
  client._start();
  const core = await loaded();
  const channel = client.channel("a");
  const list = new MessageList(channel, limit === undefined ? {} : { limit });
  void channel.subscribe();
  core.confirm("a");
  const failed = (id: string) => core.host.sending(id, SendStatus.Failed, -1, -1, "forbidden", "No.");
  return { client, core, channel, list, failed };
}

const brief = (list: MessageList) => list.rows.map(({ data, status }) => `${data} ${status}`);

describe("a message list", () => {
  it("shows what is sent at once, and makes one row of the message, its ack and its echo", async () => {
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
    core.host.sending(id, SendStatus.Sent, -1, -1, undefined, undefined);
    expect(brief(list)).toEqual(["mine sent"]);
    core.receive({ type: "ack", id, channel: "a", offset: 1, at: 7 });
    expect(list.rows).toMatchObject([{ id, status: "stored", mine: true, offset: 1, at: 7 }]);
    core.receive(message("a", 1, "mine", { id, user: "u1", name: "Ann" }));
    expect(list.rows).toMatchObject([
      { id, status: "stored", mine: true, offset: 1, user: "u1", name: "Ann" },
    ]);
  });

  it("takes an echo that comes before its ack", async () => {
    const { core, channel, list } = await following();
    const { id } = channel.send("mine");
    const echo = message("a", 1, "mine", { id, name: "Ann" });
    core.receive(echo, { type: "ack", id, channel: "a", offset: 1, at: 7 });
    expect(list.rows).toMatchObject([{ data: "mine", status: "stored", name: "Ann" }]);
  });

  it("orders by offset, with what is pending last, in the order of sending", async () => {
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

  it("knows own messages from another tab by the user", async () => {
    const { client, core, list } = await following();
    client._user = "u1";
    core.receive(message("a", 1, "x", { user: "u1" }), message("a", 2, "y", { user: "u2" }));
    expect(list.rows.map((row) => row.mine)).toEqual([true, false]);
  });

  it("keeps the latest ones, and everything that is pending", async () => {
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

  it("shows once what is replayed again", async () => {
    const { core, channel, list } = await following();
    core.receive(message("a", 1), message("a", 2));
    await channel.unsubscribe();
    void channel.subscribe();
    core.confirm("a");
    core.receive(message("a", 1), message("a", 2), message("a", 3));
    expect(list.rows.map((row) => row.data)).toEqual([1, 2, 3]);
  });

  it("leaves custom events out", async () => {
    const { core, channel, list } = await following();
    void channel.send(1, { event: "x" });
    core.receive(message("a", 1, 1, { event: "x" }));
    expect(list.rows).toEqual([]);
  });

  it("tells of a change once for a whole batch, and keeps its array until then", async () => {
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
