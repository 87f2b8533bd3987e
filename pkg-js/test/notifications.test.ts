// Notifications: of the user's own channel and of everyone's, each told once, with what is unread.

import { describe, expect, it } from "vitest";
import { createChat } from "../src/chat/chat-client.js";
import { message, running } from "./scripted-core.js";

const OWN = "private-user.me";
const settle = () => new Promise((resolve) => setTimeout(resolve));
const note = (channel: string, offset: number, title = `n${offset}`, more: object = {}) =>
  message(
    channel,
    offset,
    { title, message: "…" },
    {
      id: `${channel}-${offset}`,
      event: "notification",
      user: "system",
      ...more,
    },
  );
const page = (channel: string, messages: object[]) => ({
  type: "history_page",
  channel,
  epoch: "e",
  messages,
  more: false,
});

async function notified(read = 0, history: object[] = []) {
  const { client, core } = await running();
  const list = createChat(client).notifications;
  const told: string[] = [];
  list.on("notification", ({ data }) => told.push(data.title));
  core.welcomed("me");
  await settle();
  for (const channel of [OWN, "everyone"]) {
    const place = { channel, epoch: "e", offset: 4, head: 9 };
    const receipts = [{ user: "me", delivered: 4, read }];
    core.receive({ type: "subscribed", ...place, receipts });
  }
  core.answer("history", page("everyone", []));
  core.answer("history", page(OWN, history));
  await settle();
  return { client, core, list, told };
}

describe("notifications", () => {
  it("are loaded from both channels, starting after what was delivered", async () => {
    const { core } = await notified();
    expect(core.of("subscribe")).toEqual([
      [OWN, undefined, undefined, undefined, true],
      ["everyone", undefined, undefined, undefined, true],
    ]);
    expect(core.of("request").map(([, frame]) => frame)).toMatchObject([
      { type: "history", channel: OWN, limit: 200 },
      { type: "history", channel: "everyone", limit: 200 },
    ]);
  });

  it("are emitted as they arrive, and listed with earlier ones", async () => {
    const history = [note(OWN, 1), note(OWN, 2), message(OWN, 3, 1, { event: "data_update" }), note(OWN, 4)];
    const { core, list, told } = await notified(2, history);
    expect([told, list.unread, list.list.map(({ data }) => data.title)]).toEqual([[], 1, ["n4", "n2", "n1"]]);
    core.receive(note(OWN, 5), note("everyone", 5, "all", { at: 1 }), message(OWN, 6));
    expect([told, list.unread]).toEqual([["n5", "all"], 3]);
    expect(list.list.map(({ data, read }) => `${data.title} ${read}`)).toEqual([
      "n5 false",
      "n4 false",
      "n2 true",
      "n1 true",
      "all false",
    ]);
    expect(list.list).toBe(list.list);
  });

  it("are read with their channel's mark, on any device", async () => {
    const { core, list } = await notified(0, [note(OWN, 1), note(OWN, 2)]);
    let changes = 0;
    list.on("change", () => changes++);
    core.receive({ type: "receipt", channel: OWN, user: "me", delivered: 4, read: 1, unread: 1 });
    await settle();
    expect([list.unread, changes]).toEqual([1, 1]);
  });

  it("are marked one by one, or all", async () => {
    const { core, list } = await notified(0, [note(OWN, 1), note(OWN, 2)]);
    list.markRead(`${OWN}-1`);
    list.markRead("unknown");
    expect(core.of("mark")).toEqual([[1, undefined, 1]]);
    core.receive(note("everyone", 5));
    list.markRead();
    expect(core.of("mark").slice(1)).toEqual([
      [1, undefined, 4],
      [2, undefined, 5],
    ]);
  });

  it("are not requested again after a reconnect, but after a gap", async () => {
    const { core, list, told } = await notified(0, [note(OWN, 1), note(OWN, 2)]);
    const place = { type: "subscribed", channel: OWN, head: 9 };
    core.receive({ ...place, epoch: "e", offset: 4 });
    expect(core.of("request")).toHaveLength(2);
    core.receive({ ...place, epoch: "f", offset: 1, gap: { from: 5, to: 1, reason: "epoch" } });
    core.answer("history", { ...page(OWN, [note(OWN, 1, "new", { id: "new" })]), epoch: "f" });
    await settle();
    expect([told, list.list.map(({ data }) => data.title)]).toEqual([[], ["new"]]);
  });

  it("share the user's channel with the chats", async () => {
    const { client, core } = await notified();
    const { chats } = createChat(client);
    await settle();
    expect(core.of("subscribe")).toHaveLength(2);
    core.receive({ type: "chat_gone", channel: OWN, chat: "x" });
    await expect(chats.ready).resolves.toBeUndefined();
  });

  it("tolerate a client that is closed before it was connected", async () => {
    const { client } = await running();
    expect(createChat(client).notifications.list).toEqual([]);
    await client.close();
    await settle();
    expect(createChat(client).notifications.unread).toBe(0);
  });
});
