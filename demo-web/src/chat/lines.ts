// From the rows of a conversation to what is rendered: date separators, groups of messages, gaps, and the separator of
// unread messages. A line depends on its row and the neighbours only, so that the cost does not grow with the
// conversation. Pure.

import type { ChatRow } from "../messenger/messengerApi";
import type { MissingRange } from "./missingMessages";

export interface Line {
  readonly row: ChatRow;
  /** The id of the row before it; empty for the first. */
  readonly before: string;
  /** The start of a new day, in ms since 1970. */
  readonly day?: number;
  /** The messages that are missing before it. */
  readonly missing?: readonly MissingRange[];
  /** Whether the unread messages begin here. */
  readonly firstUnread: boolean;
  /** The first of its group, which shows the author. */
  readonly first: boolean;
  /** The last of its group. */
  readonly last: boolean;
}

/** Messages that are further apart than this are in different groups, in ms. */
export const GROUP_MS = 5 * 60 * 1000;

export interface LineOptions {
  /** The missing messages, by the id of the row before them; empty if they precede all rows. */
  readonly missing: ReadonlyMap<string, readonly MissingRange[]>;
  /** The offset up to which messages were read when the chat was opened; undefined: all of them. */
  readonly readBefore: number | undefined;
  /** The time used for rows that have none yet, in ms since 1970. */
  readonly now: number;
}

export function lineAt(rows: readonly ChatRow[], index: number, options: LineOptions): Line | undefined {
  const row = rows[index];
  if (!row) return undefined;
  const { missing, readBefore, now } = options;
  const before = rows[index - 1];
  const after = rows[index + 1];
  const gaps = openGaps(missing.get(before?.id ?? ""), row);
  const firstUnread =
    readBefore !== undefined && isUnread(row, readBefore) && !hasUnreadBefore(rows, index, readBefore);
  const alone = (one: ChatRow | undefined, other: ChatRow | undefined) => !sameGroup(one, other, now);
  const newDay = !before || dayOf(before, now) !== dayOf(row, now);
  return {
    row,
    before: before?.id ?? "",
    ...(newDay && { day: row.at ?? now }),
    ...(gaps && { missing: gaps }),
    firstUnread,
    first: alone(before, row) || gaps !== undefined || firstUnread,
    last: alone(row, after) || missing.has(row.id),
  };
}

/** The gaps before a row that are still open: some may have been loaded since. */
function openGaps(
  gaps: readonly MissingRange[] | undefined,
  row: ChatRow,
): readonly MissingRange[] | undefined {
  const filled = ({ reason, from }: MissingRange) =>
    reason === "too_far" && row.offset !== undefined && row.offset <= from;
  return gaps?.some(filled) ? undefined : gaps;
}

/** Whether a row is a message of another user after `offset`. */
function isUnread(row: ChatRow, offset: number): boolean {
  return !row.mine && !row.event && row.offset !== undefined && row.offset > offset;
}

/** Whether an unread message precedes the row, so that the separator is there. Other rows are skipped. */
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

function sameGroup(a: ChatRow | undefined, b: ChatRow | undefined, now: number): boolean {
  if (!a || !b || a.event || b.event) return false;
  if (a.mine !== b.mine || (!a.mine && (a.user !== b.user || a.name !== b.name))) return false;
  return Math.abs((b.at ?? now) - (a.at ?? now)) <= GROUP_MS && dayOf(a, now) === dayOf(b, now);
}
