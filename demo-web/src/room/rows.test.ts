// Which messages stand together, and where a day begins.

import { expect, it } from "vitest";
import type { Entry } from "./log";
import { GROUP_MS, rowsOf } from "./rows";

const NOON = new Date(2026, 4, 4, 12).getTime();
const DAY_MS = 24 * 60 * 60 * 1000;

let next = 0;
function said(user: string, at: number): Entry {
  return { kind: "message", id: `m${next++}`, user, name: user, at, text: "", status: "received" };
}

/** Each row as a word: `day`, `missing`, or the user with [ and ] where a group begins and ends. */
function drawn(...entries: Entry[]): string {
  return rowsOf(entries, "me")
    .map((row) =>
      row.kind === "message" ? `${row.first ? "[" : ""}${row.entry.user}${row.last ? "]" : ""}` : row.kind,
    )
    .join(" ");
}

it("messages of one author, close in time, are one group", () => {
  expect(drawn(said("ana", NOON), said("ana", NOON + 1000), said("ben", NOON + 2000))).toBe(
    "day [ana ana] [ben]",
  );
});

it("after a while the author begins anew", () => {
  expect(drawn(said("ana", NOON), said("ana", NOON + GROUP_MS))).toBe("day [ana ana]");
  expect(drawn(said("ana", NOON), said("ana", NOON + GROUP_MS + 1))).toBe("day [ana] [ana]");
});

it("a new day is a line, and ends the group", () => {
  const midnight = new Date(2026, 4, 5).getTime();
  expect(drawn(said("ana", midnight - 1000), said("ana", midnight + 1000))).toBe("day [ana] day [ana]");
});

it("what is missing ends the group, but not the day", () => {
  const missing: Entry = { kind: "missing", key: "x", from: 1, to: 2, reason: "trimmed" };
  expect(drawn(said("ana", NOON), missing, said("ana", NOON))).toBe("day [ana] missing [ana]");
});

it("keys are different even if a clock runs backwards over midnight", () => {
  const rows = rowsOf([said("ana", NOON), said("ben", NOON - DAY_MS), said("ana", NOON)], "me");
  expect(new Set(rows.map(({ key }) => key)).size).toBe(rows.length);
});

it("knows whose they are", () => {
  const rows = rowsOf([said("me", NOON), said("ana", NOON)], "me");
  expect(rows.map((row) => row.kind === "message" && row.mine)).toEqual([false, true, false]);
});
