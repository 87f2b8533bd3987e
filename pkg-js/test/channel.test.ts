// A channel over a scripted core: its subscription, what it delivers, what it sends, and its members.

import { afterEach, describe, expect, it, vi } from "vitest";
import type { EverwireError } from "../src/core/errors.js";
import type { Message } from "../src/core/events.js";
import { message, running, scripted } from "./scripted-core.js";

afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

const code = (code: string) => expect.objectContaining({ name: "EverwireError", code });

describe("a channel", () => {
  it("is the same object for the same name, and checks the name", () => {
    const { client } = scripted();
    expect(client.channel("a")).toBe(client.channel("a"));
    for (const bad of ["", "private-", "presence-", "two words", "né", "x".repeat(201), "a\n"]) {
      expect(() => client.channel(bad), bad).toThrow(code("invalid_channel"));
    }
    for (const good of ["x".repeat(200), "private-chat.42", "A-Z_=@,.;:0"]) client.channel(good);
  });

  it("subscribes once, with one promise", async () => {
    const { client, core } = await running();
    const channel = client.channel("a");
    const first = channel.subscribe();
    expect(channel.subscribe()).toBe(first);
    core.confirm("a", { epoch: "e1", offset: 4, head: 6 });
    expect(await first).toEqual({ epoch: "e1", offset: 4, head: 6, recovered: true });
    expect(channel.subscribe()).toBe(first);
    expect(core.of("subscribe")).toHaveLength(1);
    expect([channel.subscription, channel.position]).toEqual(["subscribed", { epoch: "e1", offset: 4 }]);
  });

  it("keeps the run of the server's store with its position, and resumes with both", async () => {
    const { client, core } = await running();
    core.welcomed("u1");
    const channel = client.channel("a");
    void channel.subscribe();
    core.confirm("a", { epoch: "e1", offset: 4, head: 4 });
    const { position } = channel;
    expect(position).toEqual({ epoch: "e1", offset: 4, run: "r1" });
    void client.channel("b").subscribe({ position });
    expect(core.of("subscribe").at(-1)).toEqual(["b", undefined, "e1", 4, false, "r1"]);
  });

  it("delivers the parsed object itself; the position moves first", async () => {
    const { client, core } = await running();
    const channel = client.channel("a");
    void channel.subscribe();
    core.confirm("a");
    const frame = message("a", 1);
    const got: unknown[] = [];
    channel.on("message", (got_) => got.push(got_, channel.position));
    core.host.batch([frame]);
    expect(got[0]).toBe(frame);
    expect(got[1]).toEqual({ epoch: "e", offset: 1 });
  });

  it("distinguishes plain messages from events", async () => {
    const { client, core } = await running();
    const channel = client.channel("a");
    void channel.subscribe();
    core.confirm("a");
    const got: string[] = [];
    channel.on("message", (m) => got.push(`message ${m.offset}`));
    channel.on("event", (m) => got.push(`event ${m.event}`));
    channel.on("event:x", (m) => got.push(`x ${m.offset}`));
    core.receive(message("a", 1), message("a", 2, 0, { event: "x" }), message("a", 3, 0, { event: "y" }));
    expect(got).toEqual(["message 1", "event x", "x 2", "event y"]);
  });

  it("emits gaps before the subscription", async () => {
    const { client, core } = await running();
    const channel = client.channel("a");
    void channel.subscribe();
    const got: unknown[] = [];
    channel.on("gap", (gap) => got.push(gap));
    channel.on("subscribed", ({ recovered }) => got.push(recovered));
    const gap = { from: 1, to: 9, reason: "trimmed" };
    core.receive({ type: "subscribed", channel: "a", epoch: "e", offset: 9, head: 9, gap });
    expect(got).toEqual([gap, false]);
  });

  it("delivers nothing after unsubscribe, and takes a new handle afterwards", async () => {
    const { client, core } = await running();
    const channel = client.channel("a");
    const got: Message[] = [];
    channel.on("message", (m) => got.push(m));
    void channel.subscribe();
    core.confirm("a");
    await channel.unsubscribe();
    expect(core.of("unsubscribe")).toEqual([[1]]);
    core.receive(message("a", 1));
    expect([got, core.of("accept")]).toEqual([[], []]);
    const again = channel.subscribe();
    const { subscribedFrame } = core;
    core.subscribedFrame = () => undefined;
    core.receive({ type: "subscribed", channel: "a", epoch: "old", offset: 0, head: 0 });
    expect(channel.subscription).toBe("pending");
    core.subscribedFrame = subscribedFrame;
    core.confirm("a");
    await again;
  });

  it("that is refused rejects and calls the error listener; subscribing again is possible", async () => {
    const { client, core } = await running();
    const channel = client.channel("private-a");
    const errors: EverwireError[] = [];
    channel.on("error", (error) => errors.push(error));
    const subscribing = channel.subscribe();
    core.receive({ type: "unsubscribed", channel: "private-a", code: "forbidden", message: "No grant." });
    await expect(subscribing).rejects.toEqual(code("forbidden"));
    expect(errors).toEqual([code("forbidden")]);
    expect(channel.subscription).toBe("none");
    void channel.subscribe();
    expect(core.of("subscribe")).toHaveLength(2);
  });

  it("that is refused temporarily stays, and the error says when it is requested again", async () => {
    const { client, core } = await running();
    const errors: EverwireError[] = [];
    client.on("error", (error) => errors.push(error));
    const channel = client.channel("a");
    const subscribing = channel.subscribe();
    const refusal = { type: "unsubscribed", channel: "a", code: "unavailable", message: "Later." };
    core.receive({ ...refusal, retry_after_ms: 1500 });
    expect(errors).toMatchObject([{ code: "unavailable", retry: true, retryAfterMs: 1500 }]);
    expect(channel.subscription).toBe("pending");
    core.receive({ type: "unsubscribed", channel: "a", code: "forbidden", message: "No." });
    await expect(subscribing).rejects.toEqual(code("forbidden"));
    await expect(subscribing).rejects.not.toHaveProperty("retryAfterMs");
  });

  it("there are as many as the server allows, and no more", async () => {
    const { client, core } = await running();
    core.limits = { ...core.limits, subscriptions: 2 };
    core.welcomed("ada");
    for (const name of ["a", "b", "a"]) void client.channel(name).subscribe();
    const third = client.channel("c").subscribe();
    await expect(third).rejects.toMatchObject({ code: "too_many_subscriptions", retry: false });
    await expect(third).rejects.toThrow("Subscription limit reached. Unsubscribe from a channel first.");
    expect(core.of("subscribe")).toHaveLength(2);
    await client.channel("a").unsubscribe();
    void client.channel("c").subscribe();
    expect(core.of("subscribe")).toHaveLength(3);
  });

  it("rejects when the core refuses the call", async () => {
    const { client, core } = await running();
    core.throwing.set("subscribe", { code: "too_many_subscriptions", message: "Enough." });
    await expect(client.channel("a").subscribe()).rejects.toEqual(code("too_many_subscriptions"));
    expect(client.state.status).toBe("connecting");
  });
});

describe("send", () => {
  it("resolves when stored, and reports its progress", async () => {
    const { client, core } = await running();
    const channel = client.channel("a");
    const seen: unknown[] = [];
    channel.on("sending", ({ status, offset, at }) => seen.push([status, offset, at]));
    const sending = channel.send({ text: "hi" });
    core.host.sending({ id: sending.id, status: "sent" });
    core.receive({ type: "ack", id: sending.id, channel: "a", offset: 5, at: 99 });
    expect(await sending).toEqual({ id: sending.id, offset: 5, at: 99 });
    expect(seen).toEqual([
      ["queued", undefined, undefined],
      ["sent", undefined, undefined],
      ["stored", 5, 99],
    ]);
  });

  it("rejects with the server's code", async () => {
    const { client, core } = await running();
    const sending = client.channel("a").send(1);
    core.host.sending({ id: sending.id, status: "failed", code: "forbidden", message: "No grant." });
    await expect(sending).rejects.toMatchObject({ code: "forbidden", message: "No grant.", retry: false });
  });

  it.each<[string, unknown, string | undefined]>([
    ["as many bytes as the server takes", "x".repeat(18), undefined],
    ["a byte too many", "x".repeat(19), "Too large: 21 bytes of JSON exceed the limit of 20."],
    [
      "bytes that are fewer characters",
      "🦊".repeat(5),
      "Too large: 22 bytes of JSON exceed the limit of 20.",
    ],
    ["as many characters as the server takes", { text: "🦊🦊" }, undefined],
    ["a character too many", { text: "abc" }, "Too large: 3 characters exceed the limit of 2."],
    ["characters elsewhere", { html: "abc" }, undefined],
  ])("by the server's limits: %s", async (name, data, words) => {
    const { client, core } = await running();
    const ofBytes = name.includes("byte");
    core.limits = { ...core.limits, payload_bytes: 20, ...(!ofBytes && { text_characters: 2 }) };
    core.welcomed("ada");
    const channel = client.channel("a");
    const sending = channel.send(data as never);
    sending.catch(() => {});
    expect(core.of("send")).toHaveLength(words === undefined ? 1 : 0);
    if (words === undefined) return;
    await expect(sending).rejects.toMatchObject({ code: "too_large", message: words, retry: false });
    expect(() => channel.signal("ring", data as never)).toThrow(words);
  });

  it("is limited by what the protocol allows before the first welcome", async () => {
    const { client, core } = await running();
    const channel = client.channel("a");
    void channel.send("x".repeat(32_766) as never);
    expect(core.of("send")).toHaveLength(1);
    await expect(channel.send("x".repeat(32_767) as never)).rejects.toEqual(code("too_large"));
  });

  it("rejects immediately when the outbox is full", async () => {
    const { client, core } = await running();
    core.throwing.set("send", { code: "queue_full", message: "Full." });
    const statuses: string[] = [];
    const channel = client.channel("a");
    channel.on("sending", ({ status }) => statuses.push(status));
    await expect(channel.send(1)).rejects.toMatchObject({ code: "queue_full", retry: true });
    expect(statuses).toEqual(["failed"]);
  });

  it("of what is not JSON is invalid_payload", async () => {
    const { client } = await running();
    const channel = client.channel("a");
    const circle: Record<string, unknown> = {};
    circle.circle = circle;
    for (const bad of [undefined, () => {}, Symbol("s"), 1n, circle]) {
      await expect(channel.send(bad)).rejects.toEqual(code("invalid_payload"));
    }
  });

  it("works without and after a subscription, and null is a payload", async () => {
    const { client, core } = await running();
    const channel = client.channel("a");
    void channel.send(null);
    void channel.subscribe();
    void channel.unsubscribe();
    void channel.send(2);
    expect(core.of("send").map((args) => args[3])).toEqual(["null", "2"]);
  });
});

describe("members", () => {
  const subscribed = (members: unknown[]) => ({
    type: "subscribed",
    channel: "presence-a",
    epoch: "e",
    offset: 0,
    head: 0,
    members,
  });
  const ann = { user: "ann", name: "Ann" };
  const bob = { user: "bob" };

  async function present() {
    const made = await running();
    const channel = made.client.channel("presence-a");
    const seen: string[] = [];
    channel.on("joined", (member) => seen.push(`+${member.user}`));
    channel.on("left", (member) => seen.push(`-${member.user}`));
    channel.on("members", (all) => seen.push(all.map((member) => member.user).join()));
    void channel.subscribe();
    return { ...made, channel, seen };
  }

  it("are emitted before the subscription", async () => {
    const { core, channel, seen } = await present();
    channel.on("subscribed", () => seen.push(`subscribed ${channel.members.length}`));
    core.receive(subscribed([ann, bob]));
    expect(seen).toEqual(["ann,bob", "subscribed 2"]);
    expect(channel.members).toEqual([ann, bob]);
    expect(channel.members).toBe(channel.members);
  });

  it("join and leave once; a second joined and a left of somebody else are ignored", async () => {
    const { core, seen } = await present();
    core.receive(subscribed([ann]));
    const joined = { type: "member_joined", channel: "presence-a", member: bob };
    const left = { type: "member_left", channel: "presence-a", user: "bob" };
    core.receive(joined, joined, left, left);
    expect(seen).toEqual(["ann", "+bob", "ann,bob", "-bob", "ann"]);
  });

  it("after a reconnect are compared: joins and leaves in the meantime are emitted", async () => {
    const { core, seen } = await present();
    core.receive(subscribed([ann]));
    core.receive(subscribed([ann]));
    core.receive(subscribed([bob]));
    expect(seen).toEqual(["ann", "+bob", "-ann", "bob"]);
  });

  it("are empty after unsubscribe", async () => {
    const { core, channel, seen } = await present();
    core.receive(subscribed([ann]));
    await channel.unsubscribe();
    expect(channel.members).toEqual([]);
    expect(seen).toEqual(["ann", ""]);
  });
});
