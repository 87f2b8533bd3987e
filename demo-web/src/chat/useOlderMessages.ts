// Loads older messages when the user comes near the first loaded row, and for a jump to an older one.

import { useCallback, useEffect, useRef, useState } from "react";
import type { ChatRow } from "../messenger/messengerApi";

/** Distance to the first row at which older messages are loaded, in rows. */
const AHEAD = 60;
/** How many pages a jump loads at most. */
const PAGES = 100;

interface Options {
  /** The index of the first rendered row. */
  first: number | undefined;
  count: number;
  hasOlder: boolean;
  loadOlder(): Promise<boolean>;
}

export function useOlderMessages({ first, count, hasOlder, loadOlder }: Options) {
  const [busy, setBusy] = useState(false);
  const loading = useRef<Promise<boolean>>(undefined);
  const rows = useRef<readonly ChatRow[]>([]);

  const load = useCallback((): Promise<boolean> => {
    loading.current ??= (async () => {
      setBusy(true);
      try {
        return await loadOlder();
      } catch {
        // The connection indicator shows why; scrolling further tries again.
        return false;
      } finally {
        loading.current = undefined;
        setBusy(false);
      }
    })();
    return loading.current;
  }, [loadOlder]);

  const near = first !== undefined && first < AHEAD;
  useEffect(() => {
    if (near && hasOlder && count > 0) void load();
  }, [near, hasOlder, count, load]);

  /** Loads older messages until `find` finds a row or there are no more. Returns its index, or -1. */
  const loadUntil = useCallback(
    async (find: (rows: readonly ChatRow[]) => number): Promise<number> => {
      for (let page = 0; page < PAGES; page++) {
        const found = find(rows.current);
        if (found >= 0) return found;
        const before = rows.current.length;
        const more = await load();
        await new Promise((rendered) => requestAnimationFrame(rendered));
        if (!more && rows.current.length === before) break;
      }
      return find(rows.current);
    },
    [load],
  );

  return { busy, loadUntil, rows };
}
