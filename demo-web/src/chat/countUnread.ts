// Counts the messages of others after an offset. It counts from the end, so that a long conversation costs nothing.

import type { ChatRow } from "../messenger/messengerApi";

export function countUnread(rows: readonly ChatRow[], after: number): number {
  let count = 0;
  for (let at = rows.length - 1; at >= 0; at--) {
    const row = rows[at];
    if (!row) break;
    if (row.offset !== undefined && row.offset <= after) break;
    if (!row.mine && !row.event && row.offset !== undefined) count++;
  }
  return count;
}
