// A room's log as the channel tells it: one row per message whatever comes first, holes where they belong.

import { expect, it } from "vitest";
import { EMPTY_LOG, type Entry, MAX_SHOWN, type RoomAction, type RoomLog, roomLog } from "./log";

const entered: RoomAction = { type: "subscribed", offset: 0, head: 0, afresh: true };

function after(...actions: RoomAction[]): RoomLog {
  return actions.reduce(roomLog, EMPTY_LOG);
}

function message(id: string, offset: number, user = "ana"): RoomAction {
  const mine = user === "me";
  return { type: "message", mine, message: { id, offset, user, name: user, at: offset * 1000, text: id } };
}

function sending(id: string, status: "queued" | "sent" | "stored" | "failed", offset?: number): RoomAction {
  const place = offset === undefined ? {} : { offset };
  return { type: "sending", sending: { id, user: "me", name: "me", at: 1, text: id, status, ...place } };
}

function shown(log: RoomLog): string[] {
  const one = (entry: Entry) =>
    entry.kind === "message" ? `${entry.id} ${entry.status}` : `missing ${entry.from}-${entry.to}`;
  return [...log.delivered, ...log.underWay].map(one);
}

it("a message and its echo are one row, at the echo's place", () => {
  const log = after(
    entered,
    sending("m1", "queued"),
    sending("m1", "sent"),
    message("a1", 1),
    message("m1", 2, "me"),
  );
  expect(shown(log)).toEqual(["a1 received", "m1 stored"]);
  expect(shown(roomLog(log, sending("m1", "stored", 2)))).toEqual(["a1 received", "m1 stored"]);
});

it("what is under way stays at the end until its echo comes", () => {
  const log = after(entered, sending("m1", "stored", 2), message("a1", 1));
  expect(shown(log)).toEqual(["a1 received", "m1 stored"]);
});

it("a failed message stays until it is discarded", () => {
  const log = after(entered, sending("m1", "queued"), sending("m1", "failed"), message("a1", 1));
  expect(shown(log)).toEqual(["a1 received", "m1 failed"]);
  expect(shown(roomLog(log, { type: "discarded", id: "m1" }))).toEqual(["a1 received"]);
});

it("only what comes after we came is fresh, and never our own", () => {
  const log = after(
    { type: "subscribed", offset: 5, head: 6, afresh: true },
    message("a1", 6),
    message("a2", 7),
    message("m1", 8, "me"),
  );
  expect([log.fresh, log.older]).toEqual([1, 5]);
});

it("is caught up when all that was there has come", () => {
  const waiting = after({ type: "subscribed", offset: 0, head: 2, afresh: true }, message("a1", 1));
  expect(waiting.caughtUp).toBe(false);
  expect(roomLog(waiting, message("a2", 2)).caughtUp).toBe(true);
  expect(after(entered).caughtUp).toBe(true);
});

it("going on keeps what is shown, entering again takes its place", () => {
  const log = after(entered, message("a1", 1), sending("m2", "queued"));
  expect(shown(roomLog(log, { type: "subscribed", offset: 1, head: 1, afresh: false }))).toHaveLength(2);
  expect(shown(roomLog(log, { type: "subscribed", offset: 0, head: 1, afresh: true }))).toEqual([
    "m2 queued",
  ]);
});

it("what was stored before the place we are served from will not come, and goes", () => {
  const log = after(entered, sending("m1", "stored", 3), sending("m2", "stored", 9));
  expect(shown(roomLog(log, { type: "subscribed", offset: 5, head: 9, afresh: true }))).toEqual([
    "m2 stored",
  ]);
});

it("a gap is an entry, and our own from within it are kept behind it", () => {
  const log = after(
    entered,
    message("a1", 1),
    sending("m4", "stored", 4),
    sending("m9", "sent"),
    { type: "gap", from: 2, to: 5, reason: "trimmed" },
    { type: "subscribed", offset: 5, head: 6, afresh: false },
    message("a6", 6),
  );
  expect(shown(log)).toEqual(["a1 received", "missing 2-5", "m4 stored", "a6 received", "m9 sent"]);
});

it("in a new log, what is fresh is counted from its own end", () => {
  const log = after(
    { type: "subscribed", offset: 100, head: 100, afresh: true },
    { type: "gap", from: 101, to: 7, reason: "epoch" },
    { type: "subscribed", offset: 7, head: 7, afresh: false },
    message("b8", 8),
  );
  expect(log.fresh).toBe(1);
});

it("shows so many and no more", () => {
  let log = after(entered);
  for (let offset = 1; offset <= MAX_SHOWN + 3; offset++) log = roomLog(log, message(`a${offset}`, offset));
  expect([log.delivered.length, log.older]).toEqual([MAX_SHOWN, 3]);
});
