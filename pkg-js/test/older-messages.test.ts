// The older messages of a message list: loaded page by page, across gaps and logs, and many of them.

import { describe, expect, it } from "vitest";
import { MessageList } from "../src/chat/message-list.js";
import { message } from "./scripted-core.js";
import { loadable } from "./scripted-list.js";

describe("older messages", () => {
  const range = (from: number, to: number) =>
    Array.from({ length: to - from + 1 }, (_, n) => message("a", from + n));
  const offsets = (list: MessageList) => list.rows.map(({ offset }) => offset);
  const asked = (core: { of(method: string): unknown[][] }) =>
    core.of("request").map(([, frame]) => (frame as { before: number }).before);

  it("are added page by page, until there are none left", async () => {
    const { core, list } = await loadable(5);
    core.receive(message("a", 6));
    expect(list.hasOlder).toBe(true);
    const first = list.loadOlder(2);
    expect(core.of("request")[0]?.[1]).toMatchObject({ channel: "a", before: 6, limit: 2 });
    core.page(range(4, 5), true);
    expect(await first).toBe(true);
    const second = list.loadOlder(9);
    core.page(range(1, 3), false);
    expect([await second, list.hasOlder]).toEqual([false, false]);
    expect(offsets(list)).toEqual([1, 2, 3, 4, 5, 6]);
    expect(await list.loadOlder()).toBe(false);
    expect(asked(core)).toEqual([6, 4]);
  });

  it("are not requested when the subscription began with the log", async () => {
    const { list } = await loadable(0);
    expect([list.hasOlder, await list.loadOlder()]).toEqual([false, false]);
  });

  it("continue where a page of other events ended, and where the log was trimmed", async () => {
    const { core, list } = await loadable(9);
    const first = list.loadOlder();
    core.page(
      range(7, 9).map((entry) => ({ ...entry, event: "other" })),
      true,
    );
    expect(await first).toBe(true);
    const second = list.loadOlder();
    core.page(range(5, 6), false);
    expect(await second).toBe(false);
    expect([asked(core), offsets(list)]).toEqual([
      [10, 7],
      [5, 6],
    ]);
  });

  it("join live messages without a gap or a duplicate", async () => {
    const { core, channel, list } = await loadable(5);
    const loading = list.loadOlder();
    const { id } = channel.send("mine");
    core.receive(...range(6, 7), { type: "ack", id, channel: "a", offset: 9, at: 1 });
    core.page(range(3, 5), true);
    await loading;
    core.receive(message("a", 8), message("a", 9, "mine", { id }));
    expect(offsets(list)).toEqual([3, 4, 5, 6, 7, 8, 9]);
  });

  it("are requested once at a time, and again after a failure", async () => {
    const { core, list } = await loadable(5);
    const one = list.loadOlder();
    expect(list.loadOlder()).toBe(one);
    core.host.sending({
      id: core.of("request")[0]?.[0] as string,
      status: "failed",
      code: "timeout",
      message: "Late.",
    });
    await expect(one).rejects.toMatchObject({ code: "timeout" });
    const two = list.loadOlder();
    core.page(range(1, 5), false);
    await two;
    expect(offsets(list)).toEqual([1, 2, 3, 4, 5]);
  });

  it("suspend the limit, and restore what it had removed", async () => {
    const { core, list } = await loadable(2, 3);
    core.receive(...range(3, 8));
    expect(offsets(list)).toEqual([6, 7, 8]);
    const loading = list.loadOlder(4);
    expect(asked(core)).toEqual([6]);
    core.receive(message("a", 9));
    core.page(range(2, 5), true);
    await loading;
    expect(offsets(list)).toEqual([2, 3, 4, 5, 6, 7, 8, 9]);
    core.receive(message("a", 10));
    expect(offsets(list)).toHaveLength(9);
  });

  it("fill a gap if it is still stored, and then continue at the other end", async () => {
    const { core, list } = await loadable(3);
    core.receive(...range(4, 5));
    const place = { channel: "a", epoch: "e", head: 20 };
    core.receive({ type: "subscribed", ...place, offset: 10, gap: { from: 6, to: 10, reason: "too_far" } });
    core.receive(message("a", 11));
    expect(offsets(list)).toEqual([4, 5, 11]);
    const first = list.loadOlder(3);
    core.page(range(8, 10), true);
    await first;
    // The next page reaches behind the gap: what is there already is there once.
    const second = list.loadOlder(5);
    core.page(range(3, 7), true);
    await second;
    expect(offsets(list)).toEqual([4, 5, 6, 7, 8, 9, 10, 11]);
    const third = list.loadOlder();
    core.page(range(1, 3), false);
    expect(await third).toBe(false);
    expect(asked(core)).toEqual([11, 8, 4]);
    expect(offsets(list)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
  });

  it.each([
    ["replaced", "f"],
    ["restored from a copy, with the same epoch", "e"],
  ])("are of the new log after it was %s; a page of the old one is dropped", async (_, epoch) => {
    const { core, list } = await loadable(3);
    core.receive(message("a", 4));
    const old = list.loadOlder();
    const gap = { from: 5, to: 2, reason: "epoch" };
    core.receive({ type: "subscribed", channel: "a", epoch, offset: 2, head: 2, gap });
    core.page(range(1, 3), false);
    expect(await old).toBe(true);
    expect(offsets(list)).toEqual([4]);
    const fresh = list.loadOlder();
    core.page(
      range(1, 2).map((entry, n) => ({ ...entry, id: `new-${n}` })),
      false,
      epoch,
    );
    expect(await fresh).toBe(false);
    expect([asked(core), offsets(list)]).toEqual([
      [4, 3],
      [4, 1, 2],
    ]);
  });

  it("are available to a list created while the channel was subscribed", async () => {
    const { core, channel } = await loadable(3);
    core.receive(message("a", 4));
    const list = new MessageList(channel);
    const loading = list.loadOlder();
    core.page(range(1, 4), false);
    core.receive(message("a", 5));
    await loading;
    expect([asked(core), offsets(list)]).toEqual([[5], [1, 2, 3, 4, 5]]);
  });

  it("emit one change per page", async () => {
    const { core, list } = await loadable(200);
    let changes = 0;
    list.on("change", () => changes++);
    const loading = list.loadOlder(200);
    core.page(range(1, 200), false);
    await loading;
    await Promise.resolve();
    expect([changes, list.rows.length]).toEqual([1, 200]);
  });
});

describe("a hundred thousand rows", () => {
  it("are not walked over for a message, a receipt or an edit", { timeout: 60_000 }, async () => {
    const { core, list } = await loadable(100_000);
    core.welcomed("me");
    const place = { channel: "a", epoch: "e", offset: 100_000, head: 100_000 };
    core.receive({ type: "subscribed", ...place, receipts: [{ user: "ann", delivered: 0, read: 0 }] });
    const loading = list.loadOlder();
    const rows = Array.from({ length: 100_000 }, (_, n) => message("a", n + 1, n, { user: "me" }));
    core.page(rows, false);
    await loading;
    expect(list.rows).toHaveLength(100_000);
    const { user } = process.cpuUsage();
    for (let n = 1; n <= 5000; n++) {
      const offset = 100_000 + n;
      const more = n % 2 === 0 ? { action: "edit", target: `id-${n}` } : {};
      core.receive(message("a", offset, offset, { user: "me", ...more }), {
        type: "receipt",
        channel: "a",
        user: "ann",
        delivered: n,
        read: n,
      });
    }
    // 10,000 walks over 100,000 rows take at least ten times as long; processor time, so that other tests do not count.
    expect(process.cpuUsage(undefined).user - user).toBeLessThan(2_000_000);
    expect(list.rows[4999]).toMatchObject({ deliveredTo: 1, readBy: 1, edited: true, data: 105_000 });
    expect(list.rows).toHaveLength(102_500);
  });
});
