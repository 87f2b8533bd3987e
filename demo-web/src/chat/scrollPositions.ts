// Where the reader was in each chat, while the page lives: the way back to a chat leads to the same line. A chat that was left
// at its end has no place: one comes back to the latest.

import type { VirtualItem } from "@tanstack/react-virtual";

export interface Place {
  /** In CSS pixels from the top. */
  readonly offset: number;
  readonly sizes: VirtualItem[];
}

export type Places = Map<string, Place>;
