// Fetches older messages when the reader comes near the first one that is there, and for a jump to one further up.

import { useCallback, useEffect, useRef, useState } from "react";
import type { ChatRow } from "../messenger/messengerApi";

/** How near the first row, in rows, before older ones are fetched: a few pages ahead of a quick thumb. */
const AHEAD = 60;
/** How many pages a jump fetches at most. */
const PAGES = 100;

interface Options {
  /** The first row that is drawn. */
  first: number | undefined;
  count: number;
  hasOlder: boolean;
  loadOlder(): Promise<boolean>;
}

export function useOlder({ first, count, hasOlder, loadOlder }: Options) {
  const [busy, setBusy] = useState(false);
  const loading = useRef<Promise<boolean>>(undefined);
  const rows = useRef<readonly ChatRow[]>([]);

  const load = useCallback((): Promise<boolean> => {
    loading.current ??= (async () => {
      setBusy(true);
      try {
        return await loadOlder();
      } catch {
        // Why is told by the connection's own line; scrolling on tries again.
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

  /** Loads until `find` finds a row, or there are no more; its index, or -1. */
  const until = useCallback(
    async (find: (rows: readonly ChatRow[]) => number): Promise<number> => {
      for (let page = 0; page < PAGES; page++) {
        const found = find(rows.current);
        if (found >= 0) return found;
        const before = rows.current.length;
        const more = await load();
        await new Promise((drawn) => requestAnimationFrame(drawn));
        if (!more && rows.current.length === before) break;
      }
      return find(rows.current);
    },
    [load],
  );

  return { busy, until, rows };
}
