// The part of a long conversation that the virtualizer gets: all rows from the first, without those far below the view.
// Since the virtualizer measures again whatever is below a row that it measures, scrolling back would become slower
// with each row left behind. Rows are restored before the user gets there.

import { useCallback, useEffect, useMemo, useState } from "react";
import type { ChatRow } from "../messenger/messengerApi";

/** How many rows below the view are kept when some are left out. */
const KEPT = 2_000;
/** How many more rows there must be before some are left out. */
const SLACK = 2_000;
/** Distance to the last kept row at which more are restored, in rows. */
const NEAR = 600;

/** How many of `all` rows to keep, given the last one in view. */
export function keptRows(seen: number, kept: number, all: number): number {
  const wanted = seen + KEPT;
  if (kept - seen > KEPT + SLACK) return wanted;
  if (kept < all && kept - seen < NEAR) return wanted + SLACK / 2 >= all ? all : wanted;
  return Math.min(kept, all);
}

export interface RowWindow {
  readonly shown: readonly ChatRow[];
  /** Whether the last row is included. */
  readonly isComplete: boolean;
  /** Restores all rows. */
  restoreAll(): void;
  /** Tells the last row in view. */
  setLastSeen(seen: number | undefined): void;
}

export function useRowWindow(rows: readonly ChatRow[]): RowWindow {
  // By id, because rows that are loaded above move every index.
  const [last, setLast] = useState<string>();
  const kept = useMemo(
    () => (last === undefined ? rows.length : rows.findIndex(({ id }) => id === last) + 1 || rows.length),
    [rows, last],
  );
  const shown = useMemo(() => (kept === rows.length ? rows : rows.slice(0, kept)), [rows, kept]);
  const restoreAll = useCallback(() => setLast(undefined), []);
  const setLastSeen = (seen: number | undefined) => {
    if (seen === undefined) return;
    const wanted = keptRows(seen, kept, rows.length);
    if (wanted !== kept) setLast(wanted === rows.length ? undefined : rows[wanted - 1]?.id);
  };
  useEffect(() => {
    // The row was removed, so restore all.
    if (last !== undefined && !rows.some(({ id }) => id === last)) setLast(undefined);
  }, [rows, last]);
  return { shown, isComplete: kept === rows.length, restoreAll, setLastSeen };
}
