// What the rows of a conversation need to know of their chat. The object changes rarely, so that memoized rows are not
// rendered again.

import type { ChatRow } from "../messenger/messengerApi";

export interface RowContext {
  readonly me: string;
  /** The number of other members. */
  readonly others: number;
  readonly direct: boolean;
  /** Whether the user may write. */
  readonly canWrite: boolean;
  /** Whether the user may delete messages of others. */
  readonly canDelete: boolean;
  /** Who has received and read the message at this offset, as text. */
  receiptText(offset: number): string;
  onReply(row: ChatRow): void;
  onEdit(row: ChatRow): void;
  onDelete(row: ChatRow): void;
  onRetry(row: ChatRow): void;
  onDiscard(row: ChatRow): void;
  /** Loads the missing messages after a row, as far as they are still stored. */
  onLoadGap(after: string): void;
  /** Dismisses the gap after a row. */
  onDismissGap(after: string): void;
}
