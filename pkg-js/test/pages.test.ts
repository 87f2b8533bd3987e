// Members and marks that do not fit into one frame: they arrive in pages, and what is in none of them is gone.

import { describe, expect, it } from "vitest";
import { running } from "./scripted-core.js";

const NAME = "presence-room";
const settle = () => new Promise((resolve) => setTimeout(resolve));
const users = (list: Iterable<{ readonly user: string }>) => [...list].map(({ user }) => user).join();
const people = (names: string) => [...names].map((user) => ({ user }));

/** A client that is subscribed to a presence channel, with the first page of its members. */
async function present(names: string, next?: string) {
  const { client, core } = await running();
  core.welcomed("me");
  const channel = client.channel(NAME);
  void channel.subscribe();
  const events: string[] = [];
  for (const event of ["joined", "left"] as const)
    channel.on(event, ({ user }) => events.push(`${event} ${user}`));
  const arrive = (names: string, next?: string) =>
    core.receive({
      type: "subscribed",
      ...{ channel: NAME, epoch: "e", offset: 0, head: 0, members: people(names) },
      ...(next && { members_next: next }),
    });
  arrive(names, next);
  const page = async (names: string, next?: string) => {
    const frame = { type: "members", channel: NAME, members: people(names), ...(next && { next }) };
    core.answer("list_members", frame);
    await settle();
  };
  const tell = (type: string, fields: object) => core.receive({ type, channel: NAME, ...fields });
  return { client, core, channel, events, arrive, page, tell };
}

describe("members", () => {
  it("arrive in pages, one at a time, and the list says whether it is complete", async () => {
    const { core, channel, page, events } = await present("ab", "b");
    const lists: string[] = [];
    channel.on("members", (members) => lists.push(`${users(members)} ${channel.membersComplete}`));
    expect([users(channel.members), channel.membersComplete]).toEqual(["a,b", false]);
    await page("cd", "d");
    const frames = core.of("request").map(([, frame]) => frame);
    expect(frames).toMatchObject([
      { type: "list_members", channel: NAME, after: "b" },
      { type: "list_members", channel: NAME, after: "d" },
    ]);
    await page("e");
    expect(lists).toEqual(["a,b,c,d false", "a,b,c,d,e true"]);
    expect(events, "they were there before").toEqual([]);
  });

  it("are complete at once if they fit into one frame", async () => {
    const { core, channel } = await present("ab");
    expect([channel.membersComplete, core.of("request")]).toEqual([true, []]);
    await channel.unsubscribe();
    expect([channel.membersComplete, channel.members]).toEqual([false, []]);
  });

  it("who left while the client was away are noticed with the last page", async () => {
    const { channel, arrive, page, events } = await present("ab", "b");
    await page("cde");
    arrive("ab", "b");
    expect([users(channel.members), channel.membersComplete, events]).toEqual(["a,b,c,d,e", false, []]);
    await page("ef");
    expect([users(channel.members), channel.membersComplete]).toEqual(["a,b,e,f", true]);
    expect(events).toEqual(["joined f", "left c", "left d"]);
  });

  it("who come and go while a page is on its way, which may be older, are not lost and not brought back", async () => {
    const { channel, page, tell, events } = await present("ab", "b");
    tell("member_joined", { member: { user: "x" } });
    tell("member_left", { user: "c" });
    tell("status_changed", { user: "d", status: "away" });
    tell("member_left", { user: "a" });
    await page("cde");
    expect(users(channel.members)).toBe("b,x,d,e");
    expect(channel.members.find(({ user }) => user === "d")?.status).toBe("away");
    expect(events).toEqual(["joined x", "left a"]);
  });

  it("of a subscription that has ended or begun anew are not added", async () => {
    const { core, channel, arrive, page } = await present("ab", "b");
    arrive("xy");
    await page("cd", "d");
    expect([users(channel.members), channel.membersComplete]).toEqual(["x,y", true]);
    arrive("xy", "y");
    await channel.unsubscribe();
    await page("z", "z");
    expect([channel.members, core.of("request").length]).toEqual([[], 2]);
  });
});

describe("a server that names the same page again", () => {
  it.each([
    ["at once", ["b"]],
    ["after others", ["c", "d", "b"]],
  ])("%s is not asked for ever", async (_, cursors) => {
    const { client, core, channel, page } = await present("ab", "b");
    const errors: string[] = [];
    client.on("error", ({ code }) => errors.push(code));
    for (const next of cursors) await page("c", next);
    expect(core.of("request").length).toBe(cursors.length);
    expect([errors, channel.membersComplete]).toEqual([["protocol_violation"], false]);
  });
});

describe("marks", () => {
  it("arrive in pages, and none falls back", async () => {
    const { client, core } = await running();
    core.welcomed("me");
    const channel = client.channel("private-chat.1");
    void channel.subscribe();
    const place = { channel: channel.name, epoch: "e", offset: 0, head: 0 };
    const mark = (user: string, read: number) => ({ user, delivered: read, read });
    core.receive({ type: "subscribed", ...place, receipts: [mark("a", 1)], receipts_next: "a" });
    core.receive({ type: "receipt", channel: channel.name, ...mark("b", 7) });
    const page = { type: "receipts", channel: channel.name };
    core.answer("list_receipts", { ...page, receipts: [mark("b", 5), mark("c", 3)], next: "c" });
    await settle();
    core.answer("list_receipts", { ...page, receipts: [mark("d", 4)] });
    await settle();
    expect([...channel.receipts.values()].map(({ user, read }) => `${user}${read}`).sort()).toEqual([
      "a1",
      "b7",
      "c3",
      "d4",
    ]);
    expect(core.of("request").map(([, frame]) => frame)).toMatchObject([
      { type: "list_receipts", channel: channel.name, after: "a" },
      { type: "list_receipts", channel: channel.name, after: "c" },
    ]);
  });
});
