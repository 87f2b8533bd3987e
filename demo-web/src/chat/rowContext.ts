// What every line of a conversation may need of the chat around it. One object that changes seldom, so that lines which did not
// change are not drawn again.

import type { ChatRow } from "../messenger/messengerApi";

export interface RowContext {
  readonly me: string;
  /** How many people besides oneself are in the chat. */
  readonly others: number;
  readonly direct: boolean;
  /** Whether one may write here. */
  readonly writes: boolean;
  /** Whether one may delete what others wrote. */
  readonly owns: boolean;
  /** Who has the message at this offset, in words. */
  whoHas(offset: number): string;
  onReply(row: ChatRow): void;
  onEdit(row: ChatRow): void;
  onDelete(row: ChatRow): void;
  onAgain(row: ChatRow): void;
  onDiscard(row: ChatRow): void;
  /** Fetches what is missing after a row, as far as it is still stored. */
  onFill(after: string): void;
  /** Takes the line about what is missing after a row away. */
  onForget(after: string): void;
}
