// From the rows of a conversation to what is drawn: where a day begins, which messages stand together, where something is
// missing, and what is new. Each line is made of its row and its neighbours alone, so that a conversation of 100,000 costs no
// more than the dozen lines that are seen. Pure.

import type { ChatRow } from "../messenger/messengerApi";
import type { Missing } from "./missingMessages";

export interface Line {
  readonly row: ChatRow;
  /** The id of the row before it; empty for the first. */
  readonly before: string;
  /** Where a new day begins: when, in ms since 1970. */
  readonly day?: number;
  /** What is missing before it. */
  readonly missing?: readonly Missing[];
  /** Whether what the reader has not seen begins here. */
  readonly fresh: boolean;
  /** The first of its group: says who speaks. */
  readonly first: boolean;
  /** The last of its group: has the corner. */
  readonly last: boolean;
}

/** Messages further apart than this are separate thoughts, and get their author and time again, in ms. */
export const GROUP_MS = 5 * 60 * 1000;

export interface LineOptions {
  /** What is missing after the row with this id; before all rows for the empty one. */
  readonly missing: ReadonlyMap<string, readonly Missing[]>;
  /** Up to this offset the reader had read when the chat was opened; undefined: everything. */
  readonly readBefore: number | undefined;
  /** The time for rows that have none yet, in ms since 1970. */
  readonly now: number;
}

export function lineAt(rows: readonly ChatRow[], index: number, options: LineOptions): Line | undefined {
  const row = rows[index];
  if (!row) return undefined;
  const { missing, readBefore, now } = options;
  const before = rows[index - 1];
  const after = rows[index + 1];
  const holes = openHoles(missing.get(before?.id ?? ""), row);
  const fresh =
    readBefore !== undefined && isUnread(row, readBefore) && !hasUnreadBefore(rows, index, readBefore);
  const alone = (one: ChatRow | undefined, other: ChatRow | undefined) => !together(one, other, now);
  const newDay = !before || dayOf(before, now) !== dayOf(row, now);
  return {
    row,
    before: before?.id ?? "",
    ...(newDay && { day: row.at ?? now }),
    ...(holes && { missing: holes }),
    fresh,
    first: alone(before, row) || holes !== undefined || fresh,
    last: alone(row, after) || missing.has(row.id),
  };
}

/** What is still missing before a row: what was too far away may have been fetched since. */
function openHoles(holes: readonly Missing[] | undefined, row: ChatRow): readonly Missing[] | undefined {
  const filled = ({ reason, from }: Missing) =>
    reason === "too_far" && row.offset !== undefined && row.offset <= from;
  return holes?.some(filled) ? undefined : holes;
}

/** Whether a row is a message of somebody else that was stored after `offset`. */
function isUnread(row: ChatRow, offset: number): boolean {
  return !row.mine && !row.event && row.offset !== undefined && row.offset > offset;
}

/** Whether an unread one comes before: then the line stands there. What is no message of others is passed over. */
function hasUnreadBefore(rows: readonly ChatRow[], index: number, offset: number): boolean {
  for (let at = index - 1; at >= 0; at--) {
    const row = rows[at];
    if (!row || row.offset === undefined || row.offset <= offset) return false;
    if (isUnread(row, offset)) return true;
  }
  return false;
}

function dayOf(row: ChatRow, now: number): string {
  return new Date(row.at ?? now).toDateString();
}

function together(a: ChatRow | undefined, b: ChatRow | undefined, now: number): boolean {
  if (!a || !b || a.event || b.event) return false;
  if (a.mine !== b.mine || (!a.mine && (a.user !== b.user || a.name !== b.name))) return false;
  return Math.abs((b.at ?? now) - (a.at ?? now)) <= GROUP_MS && dayOf(a, now) === dayOf(b, now);
}
