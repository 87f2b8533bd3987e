// What becomes of unsent messages: only an ack, a refusal of their own, or the application's own word deletes them.

import { afterEach, beforeEach, expect, it, vi } from "vitest";
import type { ErrorCode } from "../src/core/errors.js";
import type { Outgoing } from "../src/core/events.js";
import { retainClient } from "../src/integration/reference-counts.js";
import { FakeIndexedDB } from "./fake-idb.js";
import { running, scripted } from "./scripted-core.js";

let disk: FakeIndexedDB;

beforeEach(() => {
  disk = new FakeIndexedDB();
  vi.stubGlobal("indexedDB", disk);
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

/** Lets everything that was begun come to its end. */
const settle = () => new Promise((resolve) => setTimeout(resolve, 5));

/** A client of this user, and what it has sent, as the core sees it. */
async function signedIn(user = "ann") {
  const it = await running();
  it.core.welcomed(user);
  await settle();
  return it;
}

const ENDS: ErrorCode[] = ["unsupported_version", "session_mismatch", "unauthorized", "banned"];

it.each(ENDS)("%s leaves what was written to the next client of the same user", async (code) => {
  const { client, core } = await signedIn();
  const sending = client.channel("news").send("kept");
  await settle();
  core.host.state({ status: "closed", attempt: 0, code, reason: "the server says so" });
  await expect(sending).rejects.toMatchObject({ code });
  await settle();
  expect(disk.ids).toEqual([sending.id]);
  const next = await signedIn();
  expect(next.core.of("send")).toEqual([[sending.id, "news", undefined, '"kept"', true]]);
  next.core.receive({ type: "ack", id: sending.id, channel: "news", offset: 1, at: 1 });
  await settle();
  expect(disk.ids).toEqual([]);
});

it("a core that traps leaves it, too", async () => {
  const { client, core } = await signedIn();
  const sending = client.channel("news").send("kept");
  core.throwing.set("typing", new Error("unreachable"));
  client
    .channel("news")
    .subscribe()
    .catch(() => {});
  client.channel("news").typing();
  await expect(sending).rejects.toMatchObject({ code: "internal" });
  await settle();
  expect(disk.ids).toEqual([sending.id]);
});

it("a provider that is unmounted leaves it, and the application's own close does not", async () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  const { client, loaded } = scripted();
  const release = retainClient(client);
  (await loaded()).welcomed("ann");
  const sending = client.channel("news").send("kept");
  release();
  await vi.advanceTimersByTimeAsync(1_100);
  await expect(sending).rejects.toMatchObject({ code: "closed" });
  vi.useRealTimers();
  await settle();
  expect(disk.ids).toEqual([sending.id]);
  const next = await signedIn();
  await next.client.close();
  await settle();
  expect(disk.ids).toEqual([]);
});

it("its own refusal deletes a message", async () => {
  const { client, core } = await signedIn();
  const sending = client.channel("news").send("no");
  core.host.sending({ id: sending.id, status: "failed", code: "blocked", message: "HTTP status 413" });
  await expect(sending).rejects.toMatchObject({ code: "blocked", message: "HTTP status 413", retry: false });
  await settle();
  expect(disk.ids).toEqual([]);
});

it("what finds no room on the next page stays", async () => {
  const first = await signedIn();
  const sending = first.client.channel("news").send("kept");
  first.client._release();
  await expect(sending).rejects.toMatchObject({ code: "closed" });
  const next = await running();
  next.core.throwing.set("send", { code: "queue_full" });
  next.core.welcomed("ann");
  await settle();
  expect(disk.ids).toEqual([sending.id]);
});

it("records when a message may have left, and tells the core on the next page", async () => {
  const offline = await running();
  const early = offline.client.channel("news").send("offline");
  await settle();
  expect(disk.rows.get(early.id)?.left).toBeUndefined();
  offline.core.welcomed("ann");
  const late = offline.client.channel("news").send("online");
  offline.core.host.sending({ id: early.id, status: "sent" });
  await settle();
  const left = disk.rows.get(early.id)?.left as number;
  expect(Math.abs(Date.now() - left)).toBeLessThan(5_000);
  offline.client._release();
  await Promise.allSettled([early, late]);
  disk.rows.set(early.id, { ...disk.rows.get(early.id), id: early.id, left: left - 90_000_000 });
  await settle();
  const next = await signedIn();
  const told = new Map(next.core.of("left") as [string, number][]);
  expect(told.get(early.id)).toBeGreaterThanOrEqual(90_000_000);
  expect(told.get(late.id)).toBeLessThan(60_000);
});

it("a message that is too old is offered to the application, and kept until somebody listens", async () => {
  const first = await signedIn();
  const sending = first.client.channel("news").send("old");
  first.client._release();
  await Promise.allSettled([sending]);
  await settle();
  const refuse = async (listen: boolean) => {
    const { client, core } = await running();
    const errors: string[] = [];
    const offered: Outgoing[] = [];
    client.on("error", (error) => errors.push(error.code));
    if (listen) client.channel("news").on("sending", (outgoing) => offered.push(outgoing));
    core.welcomed("ann");
    await settle();
    core.host.sending({ id: sending.id, status: "failed", code: "too_old", message: "old" });
    await settle();
    return { errors, offered };
  };
  expect(await refuse(false)).toEqual({ errors: ["too_old"], offered: [] });
  expect(disk.ids).toEqual([sending.id]);
  const { errors, offered } = await refuse(true);
  expect(errors).toEqual([]);
  expect(offered.at(-1)).toMatchObject({
    id: sending.id,
    data: "old",
    status: "failed",
    error: { code: "too_old" },
  });
  expect(disk.ids).toEqual([]);
});

it("a queued message can be withdrawn, one that was sent cannot", async () => {
  const { client, core } = await signedIn();
  const states: string[] = [];
  client.channel("news").on("sending", ({ status }) => states.push(status));
  const [first, second] = [client.channel("news").send(1), client.channel("news").send(2)];
  core.host.sending({ id: second.id, status: "sent" });
  expect(first.cancel()).toBe(true);
  expect(first.cancel()).toBe(true);
  expect(second.cancel()).toBe(false);
  await expect(first).rejects.toMatchObject({ code: "cancelled", retry: false });
  expect(core.of("cancel")).toEqual([[first.id]]);
  core.receive({ type: "ack", id: second.id, channel: "news", offset: 1, at: 1 });
  await expect(second).resolves.toMatchObject({ offset: 1 });
  expect(second.cancel()).toBe(false);
  expect(states).toEqual(["queued", "queued", "sent", "failed", "stored"]);
  await settle();
  expect(disk.ids).toEqual([]);
});

it("a message can be withdrawn before the core is loaded", async () => {
  let load: (value?: unknown) => void = () => {};
  const { client, loaded } = scripted(
    {},
    () =>
      new Promise((resolve) => {
        load = resolve;
      }),
  );
  client._start();
  const [first, second] = [client.channel("news").send(1), client.channel("news").send(2)];
  expect(first.cancel()).toBe(true);
  await expect(first).rejects.toMatchObject({ code: "cancelled" });
  load();
  const core = await loaded();
  expect(core.of("send").map(([id]) => id)).toEqual([second.id]);
});

it("the database is opened again when the browser has closed it", async () => {
  const { client, core } = await signedIn();
  const first = client.channel("news").send(1);
  await settle();
  disk.vanish();
  const second = client.channel("news").send(2);
  await settle();
  expect(disk.ids).toEqual([first.id, second.id].sort());
  disk.vanish();
  core.receive({ type: "ack", id: first.id, channel: "news", offset: 1, at: 1 });
  await settle();
  expect(disk.ids).toEqual([second.id]);
});

it("what was lost with a transaction is written again, unless the disk is full", async () => {
  const { client } = await signedIn();
  disk.abortWith = "UnknownError";
  const first = client.channel("news").send(1);
  await Promise.resolve();
  await Promise.resolve();
  await settle();
  disk.abortWith = undefined;
  const second = client.channel("news").send(2);
  await settle();
  expect(disk.ids).toContain(second.id);
  disk.vanish();
  const third = client.channel("news").send(3);
  await settle();
  expect(disk.ids).toEqual([first.id, second.id, third.id].sort());
  const { opened } = disk;
  disk.abortWith = "QuotaExceededError";
  client
    .channel("news")
    .send(4)
    .catch(() => {});
  await settle();
  expect(disk.opened).toBe(opened);
});

it("a database that is closed before the messages of an earlier page are read is opened again", async () => {
  const first = await signedIn();
  const sending = first.client.channel("news").send("kept");
  first.client._release();
  await Promise.allSettled([sending]);
  await settle();
  const next = await running();
  await settle();
  disk.vanish();
  next.core.welcomed("ann");
  await settle();
  expect(next.core.of("send").map(([id]) => id)).toEqual([sending.id]);
});
