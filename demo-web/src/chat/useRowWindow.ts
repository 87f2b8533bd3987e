// The part of a long conversation that the virtualiser is given: all rows from the first, but not those far below what is seen.
// It measures anew whatever is below a row that it measures, so that the cost of scrolling back would grow with what is left
// behind. Rows that come into reach again are given back before the reader is there.

import { useCallback, useEffect, useMemo, useState } from "react";
import type { ChatRow } from "../messenger/messengerApi";

/** How many rows below what is seen are kept when some are left out. */
const KEPT = 2_000;
/** How many more there must be before some are left out. */
const SLACK = 2_000;
/** How near the last one kept, in rows, before more are given back. */
const NEAR = 600;

/** How many rows are to be kept, given the last that is seen; all of them for `all`. */
export function keptRows(seen: number, kept: number, all: number): number {
  const wanted = seen + KEPT;
  if (kept - seen > KEPT + SLACK) return wanted;
  if (kept < all && kept - seen < NEAR) return wanted + SLACK / 2 >= all ? all : wanted;
  return Math.min(kept, all);
}

export interface Window {
  readonly shown: readonly ChatRow[];
  /** Whether the last row is among them. */
  readonly whole: boolean;
  /** Gives all rows. */
  widen(): void;
  /** Says which row is the last that is seen. */
  look(seen: number | undefined): void;
}

export function useWindow(rows: readonly ChatRow[]): Window {
  // By its id: rows that come in above move every index.
  const [last, setLast] = useState<string>();
  const kept = useMemo(
    () => (last === undefined ? rows.length : rows.findIndex(({ id }) => id === last) + 1 || rows.length),
    [rows, last],
  );
  const shown = useMemo(() => (kept === rows.length ? rows : rows.slice(0, kept)), [rows, kept]);
  const widen = useCallback(() => setLast(undefined), []);
  const look = (seen: number | undefined) => {
    if (seen === undefined) return;
    const wanted = keptRows(seen, kept, rows.length);
    if (wanted !== kept) setLast(wanted === rows.length ? undefined : rows[wanted - 1]?.id);
  };
  useEffect(() => {
    // The row is gone: with it, the reason to leave anything out.
    if (last !== undefined && !rows.some(({ id }) => id === last)) setLast(undefined);
  }, [rows, last]);
  return { shown, whole: kept === rows.length, widen, look };
}
