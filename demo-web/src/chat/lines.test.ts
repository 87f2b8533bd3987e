// Grouping of messages, date separators, and the separator of unread messages.

import { expect, it } from "vitest";
import type { ChatRow } from "../messenger/messengerApi";
import { GROUP_MS, type LineOptions, lineAt } from "./lines";
import type { MissingRange } from "./missingMessages";

const NOON = new Date(2026, 4, 4, 12).getTime();

let next = 0;
function message(user: string, at: number | undefined, change: Partial<ChatRow> = {}): ChatRow {
  const id = `m${next++}`;
  const place = at === undefined ? {} : { at, offset: next };
  const counts = { deliveredTo: 0, readBy: 0, edited: false, deleted: false };
  return {
    id,
    user,
    name: user,
    mine: user === "me",
    data: {},
    status: "stored",
    ...counts,
    ...place,
    ...change,
  };
}

/** Each row as a word: the user with [ and ] where a group begins and ends, and what precedes it. */
function rendered(rows: readonly ChatRow[], options: Partial<LineOptions> = {}): string {
  const all = {
    missing: new Map<string, readonly MissingRange[]>(),
    readBefore: undefined,
    now: NOON,
    ...options,
  };
  return rows
    .map((row, index) => {
      const line = lineAt(rows, index, all);
      if (!line) throw new Error("there is a line for every row");
      const before = `${line.missing ? "missing " : ""}${line.day === undefined ? "" : "day "}${line.firstUnread ? "new " : ""}`;
      return `${before}${line.first ? "[" : ""}${row.event ?? row.user}${line.last ? "]" : ""}`;
    })
    .join(" ");
}

it("groups messages of one author that are close in time", () => {
  expect(rendered([message("ana", NOON), message("ana", NOON + 1000), message("ben", NOON + 2000)])).toBe(
    "day [ana ana] [ben]",
  );
  expect(rendered([message("ana", NOON), message("ana", NOON + GROUP_MS)])).toBe("day [ana ana]");
  expect(rendered([message("ana", NOON), message("ana", NOON + GROUP_MS + 1)])).toBe("day [ana] [ana]");
});

it("a new day adds a separator and ends the group", () => {
  const midnight = new Date(2026, 4, 5).getTime();
  expect(rendered([message("ana", midnight - 1000), message("ana", midnight + 1000)])).toBe(
    "day [ana] day [ana]",
  );
});

it("messages in flight get the current time", () => {
  expect(rendered([message("me", NOON - 1000), message("me", undefined)])).toBe("day [me me]");
});

it("a gap ends the group, but not the day", () => {
  const rows = [message("ana", NOON), message("ana", NOON)];
  const missing = new Map([[rows[0]?.id ?? "", [{ from: 1, to: 2, reason: "trimmed" }]]]);
  expect(rendered(rows, { missing })).toBe("day [ana] missing [ana]");
});

it("a gap that has been filled is not shown", () => {
  const rows = [message("ana", NOON), message("ana", NOON), message("ana", NOON)];
  const from = rows[1]?.offset ?? 0;
  const missing = new Map([[rows[0]?.id ?? "", [{ from, to: from + 9, reason: "too_far" }]]]);
  expect(rendered(rows, { missing })).not.toContain("missing");
  expect(rendered(rows.toSpliced(1, 1), { missing })).toContain("missing");
});

it("system messages are not grouped", () => {
  const joined = message("ben", NOON, { event: "everwire.chat" });
  expect(rendered([message("ana", NOON), joined, message("ana", NOON)])).toBe(
    "day [ana] [everwire.chat] [ana]",
  );
});

it("one separator, before the first unread message of another user", () => {
  const rows = [
    message("ana", NOON),
    message("me", NOON),
    message("ana", NOON),
    message("me", NOON),
    message("ana", NOON),
  ];
  const readBefore = rows[0]?.offset;
  expect(rendered(rows, { readBefore })).toBe("day [ana] [me] new [ana] [me] [ana]");
  expect(rendered(rows, { readBefore: rows[4]?.offset })).not.toContain("new");
});
