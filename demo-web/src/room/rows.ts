// From a room's log to the rows on the screen: a line for each new day, and messages of one author, close in time, drawn as
// one group. Pure.

import type { Entry, MessageEntry, MissingEntry } from "./log";

export interface DayRow {
  readonly kind: "day";
  readonly key: string;
  readonly at: number;
}

export interface MessageRow {
  readonly kind: "message";
  readonly key: string;
  readonly entry: MessageEntry;
  readonly mine: boolean;
  /** The first of its group: says who speaks. */
  readonly first: boolean;
  /** The last of its group: says when. */
  readonly last: boolean;
}

export type Row = DayRow | MessageRow | MissingEntry;

/** Messages further apart than this are separate thoughts, and get their author and time again. */
export const GROUP_MS = 5 * 60 * 1000;

/** The rows for `entries`, as the user `me` sees them. */
export function rowsOf(entries: readonly Entry[], me: string): Row[] {
  const rows: Row[] = [];
  let day: string | undefined;
  for (const [index, entry] of entries.entries()) {
    if (entry.kind === "missing") {
      rows.push(entry);
      continue;
    }
    const thisDay = new Date(entry.at).toDateString();
    if (thisDay !== day) rows.push({ kind: "day", key: `day-${thisDay}-${index}`, at: entry.at });
    day = thisDay;
    rows.push({
      kind: "message",
      key: entry.id,
      entry,
      mine: entry.user === me,
      first: !together(entries[index - 1], entry),
      last: !together(entry, entries[index + 1]),
    });
  }
  return rows;
}

function together(a: Entry | undefined, b: Entry | undefined): boolean {
  return (
    a?.kind === "message" &&
    b?.kind === "message" &&
    a.user === b.user &&
    a.name === b.name &&
    Math.abs(b.at - a.at) <= GROUP_MS &&
    new Date(a.at).toDateString() === new Date(b.at).toDateString()
  );
}
